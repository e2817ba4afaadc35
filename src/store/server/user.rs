//! Postgres does not run as root: then it runs as `postgres`, or as `nobody` where there is no such user.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::error::ServerError;

/// The user a server runs as, when it is not the one we run as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    name: String,
    uid: u32,
    gid: u32,
}

/// The user to change to; `None` for an ordinary user, who stays what it is.
pub(super) fn to_run_as() -> Result<Option<User>, ServerError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").map_err(ServerError::io("reading /etc/passwd"))?;
    let found = ["postgres", "nobody"].into_iter().find_map(|name| lookup(&users, name));
    found.map(Some).ok_or_else(|| {
        ServerError::NothingFound("root cannot run it, and there is no user 'postgres' or 'nobody'".to_owned())
    })
}

fn lookup(users: &str, name: &str) -> Option<User> {
    let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields[0] == name)?;
    Some(User { name: name.to_owned(), uid: fields.get(2)?.parse().ok()?, gid: fields.get(3)?.parse().ok()? })
}

/// A command that runs as this user, from a folder everybody can enter.
pub(super) fn command(program: &Path, user: Option<&User>) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/");
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    command
}

/// Gives a file or folder to the user.
pub(super) fn give(path: &Path, user: Option<&User>) -> Result<(), ServerError> {
    match user {
        Some(user) => chown(path, Some(user.uid), Some(user.gid)).map_err(ServerError::io(format!(
            "giving {} to '{}'",
            path.display(),
            user.name
        ))),
        None => Ok(()),
    }
}

/// Refuses a folder the user cannot get to.
pub(super) fn can_reach(folder: &Path, user: Option<&User>) -> Result<(), ServerError> {
    let Some(user) = user else { return Ok(()) };
    let blocked = folder.ancestors().filter(|ancestor| !ancestor.as_os_str().is_empty()).find(|ancestor| {
        fs::metadata(ancestor).is_ok_and(|about| {
            let allowed = match (about.uid() == user.uid, about.gid() == user.gid) {
                (true, _) => 0o100,
                (false, true) => 0o010,
                (false, false) => 0o001,
            };
            about.mode() & allowed == 0
        })
    });
    match blocked {
        Some(folder) => Err(ServerError::Unreachable { user: user.name.clone(), folder: folder.to_owned() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_name() {
        let users = "root:x:0:0:root:/root:/bin/sh\npostgres:x:104:110::/var/lib/postgresql:/bin/bash\n";
        assert_eq!(lookup(users, "postgres"), Some(User { name: "postgres".to_owned(), uid: 104, gid: 110 }));
        assert_eq!(lookup(users, "nobody"), None);
    }
}
