//! What people may do. A viewer sees; an operator and an engineer also act, and read bodies for a reason; an auditor
//! reads bodies for a reason and never acts.

/// A person's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Sees the pages.
    Viewer,
    /// Keeps messages moving.
    Operator,
    /// Configures routes and looks into what they do.
    Engineer,
    /// Looks into what was done.
    Auditor,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Engineer, Self::Auditor];

    /// The role as stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Engineer => "engineer",
            Self::Auditor => "auditor",
        }
    }

    /// The role with this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// Pause, resume, retry, skip, release, refuse.
    pub(super) fn may_act(self) -> bool {
        matches!(self, Self::Operator | Self::Engineer)
    }

    /// The content of messages.
    pub(super) fn may_read_bodies(self) -> bool {
        self != Self::Viewer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_roles() {
        let table = Role::ALL.map(|role| (role.as_str(), role.may_act(), role.may_read_bodies()));
        let expected =
            [("viewer", false, false), ("operator", true, true), ("engineer", true, true), ("auditor", false, true)];
        assert_eq!(table, expected);
        assert_eq!(Role::of("root"), None);
    }
}
