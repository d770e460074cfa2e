//! Which crate may depend on which.

use super::LADDER;
use cargo_metadata::{DependencyKind, Package};

/// The folder of a crate, by the name of its package.
fn folder(package: &str) -> &str {
    package.strip_prefix("tessera-").unwrap_or(package)
}

/// Whether the crate in folder `from` may depend on the one in folder `to`. `None`: `from` has no place.
fn may_depend(from: &str, to: &str) -> Option<bool> {
    let rung = |name: &str| LADDER.iter().position(|known| *known == name);
    Some(match from {
        // Tools: nothing depends on them.
        "xtask" | "bench" => true,
        // It looks at files, knows formats and slots, and says what a start would load as the start finds it.
        "check" => ["values", "storage", "routing", "node"].contains(&to),
        // The simulator stands beside the drivers: it has its own network, disk and clock.
        "sim" => to == "consistency" || rung(to).is_some() && rung(to) < rung("drivers"),
        // The reader of transcripts, and who judges histories, share no code with what they test.
        "golden" | "consistency" => false,
        _ => {
            let from = rung(from)?;
            rung(to).is_some_and(|to| to < from)
        }
    })
}

/// What is wrong with the dependencies of `packages`.
pub fn check(packages: &[Package]) -> Vec<String> {
    let mut violations = Vec::new();
    for package in packages {
        let from = folder(&package.name);
        for dependency in &package.dependencies {
            if dependency.name.starts_with("glommio") && from != "drivers" {
                violations.push(format!("{from} depends on {}: only drivers may", dependency.name));
            }
            if dependency.path.is_none() || dependency.kind == DependencyKind::Development {
                continue;
            }
            let to = folder(&dependency.name);
            match may_depend(from, to) {
                Some(true) => {}
                Some(false) => violations.push(format!("{from} must not depend on {to}")),
                None => violations.push(format!("{from} has no place in the order of the crates")),
            }
        }
    }
    violations.dedup();
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_point_down() {
        assert_eq!(may_depend("config", "keyspace"), Some(true));
        assert_eq!(may_depend("keyspace", "config"), Some(false));
        assert_eq!(may_depend("command", "config"), Some(true));
        assert_eq!(may_depend("commands", "routing"), Some(false));
        assert_eq!(may_depend("node", "drivers"), Some(false));
        assert_eq!(may_depend("server", "drivers"), Some(true));
        assert_eq!(may_depend("server", "golden"), Some(false));
        assert_eq!(may_depend("values", "values"), Some(false));
    }

    #[test]
    fn the_simulator_knows_no_driver_and_nothing_knows_the_simulator() {
        assert_eq!(may_depend("sim", "node"), Some(true));
        assert_eq!(may_depend("sim", "drivers"), Some(false));
        assert_eq!(may_depend("sim", "server"), Some(false));
        assert_eq!(may_depend("server", "sim"), Some(false));
        assert_eq!(may_depend("golden", "resp"), Some(false));
    }

    #[test]
    fn a_new_crate_needs_a_place() {
        assert_eq!(may_depend("scripting", "resp"), None);
    }
}
