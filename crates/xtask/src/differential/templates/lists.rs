//! Lists.

use super::Template;

/// Commands of this family.
pub const TEMPLATES: &[Template] = &[];
