//! Whoever runs the machine says at the command line who may sign in: with a password from standard input, a role, and a
//! line in the register for every change.

use sqlx::PgConnection;

use signalbox::dashboard::password;
use signalbox::store::operators;

use crate::support::database::TestDatabase;
use crate::support::gateway_process::{self, Said, run, run_with};

const PASSWORD: &str = "correct horse battery";

async fn changes(db: &mut PgConnection) -> Vec<(String, String)> {
    let rows =
        sqlx::query_as("select outcome, reason from audit where event = 'operators' and actor <> '' order by seq");
    rows.fetch_all(db).await.unwrap()
}

async fn has(db: &mut PgConnection, name: &str, password: &str) -> bool {
    let kept = operators::password_hash(db, name).await.unwrap();
    password::is_right(password, kept.as_deref())
}

#[tokio::test]
async fn people_are_added_listed_given_another_password_and_removed() {
    let database = TestDatabase::create().await;
    let folder = gateway_process::folder_on(&database);
    let config = folder.path().to_str().unwrap();
    let operator = |arguments: &[&str], input: &str| -> Said {
        run_with(&[&["operator"], arguments, &["--config", config]].concat(), input)
    };
    let mut db = database.connect().await;

    assert!(operator(&["list"], "").out.starts_with("There is no operator."));
    for weak in ["short\n", ""] {
        let said = operator(&["add", "ada", "--role", "operator"], weak);
        assert_eq!(said.code, 1);
        assert!(said.errors.contains("12 characters or more"), "{}", said.errors);
    }
    let said = operator(&["add", "ada", "--role", "operator"], &format!("{PASSWORD}\n"));
    assert_eq!((said.code, &*said.out), (0, "Operator 'ada' may sign in as operator.\n"), "{}", said.errors);
    assert!(has(&mut db, "ada", PASSWORD).await);
    let kept = operators::password_hash(&mut db, "ada").await.unwrap().unwrap();
    assert!(kept.starts_with("$argon2id$") && !kept.contains("horse"), "{kept}");

    let said = operator(&["add", "ada", "--role", "engineer"], "another password\n");
    assert_eq!(said.code, 1);
    assert!(said.errors.contains("already") && said.errors.contains("operator passwd ada"), "{}", said.errors);
    let said = operator(&["add", "Ada", "--role", "engineer"], "another password\n");
    assert_eq!(said.code, 1);
    assert!(said.errors.contains("there is an operator 'ada' already"), "{}", said.errors);
    assert!(has(&mut db, "ada", PASSWORD).await, "a name that is taken keeps its password");
    assert!(operator(&["list"], "").out.starts_with("ada                      operator   since 20"));

    let now = chrono::DateTime::UNIX_EPOCH;
    operators::open_session(&mut db, b"token", "ada", now).await.unwrap();
    let said = operator(&["passwd", "ada"], "quite another one\r\n");
    assert_eq!(
        (said.code, &*said.out),
        (0, "Operator 'ada' has a new password and is signed out.\n"),
        "{}",
        said.errors
    );
    assert!(has(&mut db, "ada", "quite another one").await && !has(&mut db, "ada", PASSWORD).await);
    assert_eq!(operators::use_session(&mut db, b"token", now, now, now).await.unwrap(), None);

    let said = operator(&["remove", "ada"], "");
    assert_eq!(said.code, 0, "{}", said.errors);
    assert_eq!(said.out, "Operator 'ada' is removed and signed out.\n");
    for command in [&["remove", "ada"][..], &["passwd", "ada"]] {
        let said = operator(command, "long enough a password\n");
        assert_eq!((said.code, &*said.out), (1, ""), "{command:?}");
        assert!(said.errors.contains("there is no operator 'ada'"), "{}", said.errors);
    }
    let told = |what: &str, whom: &str| (what.to_owned(), whom.to_owned());
    assert_eq!(
        changes(&mut db).await,
        [
            told("operator added", "ada, operator"),
            told("password changed", "ada, operator"),
            told("operator removed", "ada")
        ],
        "what was not done is not in the register"
    );
}

#[test]
fn strange_names_and_roles_are_refused_before_anything_is_opened() {
    for (arguments, told) in [
        (&["operator", "add", "ada", "--role", "root"][..], "expected one of viewer, operator, engineer, auditor"),
        (&["operator", "add", "a b", "--role", "viewer"], "expected 1 to 64 letters"),
        (&["operator", "add", "ada"], "--role"),
    ] {
        let said = run(arguments);
        assert_eq!(said.code, 2, "{arguments:?}");
        assert!(said.errors.contains(told), "{arguments:?}: {}", said.errors);
    }
    let help = run(&["operator", "add", "--help"]).out;
    assert!(!help.to_lowercase().contains("--password"), "a password is never an argument: {help}");
}
