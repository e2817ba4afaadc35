//! The account Postgres runs as when we are root, because it refuses to run as root itself: whoever owns the cluster
//! already, else `postgres`, else `nobody`. An ordinary user runs it as themselves.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use tokio::process::Command;

use super::error::ServerError;

/// An account that is not ours.
#[derive(Debug, Clone)]
pub(super) struct Account {
    name: String,
    uid: u32,
    gid: u32,
}

impl Account {
    /// The account to run the server of `cluster` as; `None` when that is ourselves.
    pub(super) fn for_cluster(cluster: &Path) -> Result<Option<Self>, ServerError> {
        let us = rustix::process::geteuid();
        let owner = fs::metadata(cluster).ok().map(|folder| (folder.uid(), folder.gid()));
        match owner {
            Some((uid, _)) if !us.is_root() && uid != us.as_raw() => {
                Err(ServerError::NotOurs { folder: cluster.to_owned(), owner: uid })
            }
            _ if !us.is_root() => Ok(None),
            Some((uid, gid)) if uid != 0 => Ok(Some(Self { name: format!("user {uid}"), uid, gid })),
            _ => Ok(Some(Self::named_on_this_machine()?)),
        }
    }

    fn named_on_this_machine() -> Result<Self, ServerError> {
        let path = Path::new("/etc/passwd");
        let accounts = fs::read_to_string(path).map_err(ServerError::at(path))?;
        ["postgres", "nobody"].iter().find_map(|name| Self::in_passwd(&accounts, name)).ok_or_else(|| {
            ServerError::NothingFound { why: "Postgres does not run as root, and there is no account nobody".into() }
        })
    }

    /// Reads one account of [passwd(5)](https://man7.org/linux/man-pages/man5/passwd.5.html).
    fn in_passwd(accounts: &str, name: &str) -> Option<Self> {
        accounts.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next()? == name).then_some(())?;
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            Some(Self { name: name.to_owned(), uid, gid })
        })
    }

    /// User id.
    pub(super) fn uid(&self) -> u32 {
        self.uid
    }

    /// Makes `path` theirs.
    pub(super) fn give(&self, path: &Path) -> Result<(), ServerError> {
        chown(path, Some(self.uid), Some(self.gid)).map_err(ServerError::at(path))
    }

    /// Lets them pass through `folder` (not list it), and checks that every folder above lets them pass too.
    pub(super) fn let_into(&self, folder: &Path) -> Result<(), ServerError> {
        for above in folder.ancestors().skip(1) {
            if !self.may_enter(above)? {
                return Err(ServerError::Unreachable { folder: above.to_owned(), account: self.name.clone() });
            }
        }
        if !self.may_enter(folder)? {
            let mode = fs::metadata(folder).map_err(ServerError::at(folder))?.mode();
            chown(folder, None, Some(self.gid)).map_err(ServerError::at(folder))?;
            fs::set_permissions(folder, Permissions::from_mode(mode & 0o7777 | 0o010))
                .map_err(ServerError::at(folder))?;
        }
        Ok(())
    }

    fn may_enter(&self, folder: &Path) -> Result<bool, ServerError> {
        let metadata = fs::metadata(folder).map_err(ServerError::at(folder))?;
        let bit = if metadata.uid() == self.uid {
            0o100
        } else if metadata.gid() == self.gid {
            0o010
        } else {
            0o001
        };
        Ok(metadata.mode() & bit != 0)
    }
}

/// Makes `path` the account's, if there is one.
pub(super) fn give(account: Option<&Account>, path: &Path) -> Result<(), ServerError> {
    account.map_or(Ok(()), |account| account.give(path))
}

/// Has `command` run as the account, if there is one.
pub(super) fn run_as(account: Option<&Account>, command: &mut Command) {
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
}

/// Whether a server for the data folder `folder`, which need not exist yet, could be run there: as root, the account
/// that Postgres would run as has to pass through every folder above it.
///
/// # Errors
/// The folder that is in the way.
pub fn reachable(folder: &Path) -> Result<(), ServerError> {
    let Some(account) = Account::for_cluster(&folder.join("postgres"))? else { return Ok(()) };
    let folder = std::path::absolute(folder).map_err(ServerError::at(folder))?;
    for above in folder.ancestors().skip(1).filter(|above| above.exists()) {
        if !account.may_enter(above)? {
            return Err(ServerError::Unreachable { folder: above.to_owned(), account: account.name });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_read_from_the_password_file() {
        let file =
            "root:x:0:0:root:/root:/bin/bash\npostgresql:x:7:7::/:/bin/sh\npostgres:x:101:104:a,b:/var:/bin/sh\n";
        let account = Account::in_passwd(file, "postgres").unwrap();
        assert_eq!((account.uid, account.gid), (101, 104));
        assert!(Account::in_passwd(file, "nobody").is_none());
    }
}
