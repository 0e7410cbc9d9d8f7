//! Names that several resources of one type have: whoever reads them needs the ids as well.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::lookalike::confusable_skeleton;

/// Names that several resources of one type have, or that look alike.
#[derive(Debug, Default)]
pub struct Namesakes {
    /// By type and by what the name looks like: whose it is, or `None` if it is that of several.
    owners: HashMap<String, HashMap<String, Option<String>>>,
}

impl Namesakes {
    /// Takes a resource of this type and id into account.
    pub fn add(&mut self, resource_type: &str, id: &str, name: &str) {
        let owners = self.owners.entry(resource_type.to_owned()).or_default();
        match owners.entry(confusable_skeleton(name)) {
            Entry::Vacant(place) => {
                place.insert(Some(id.to_owned()));
            }
            Entry::Occupied(mut place) => {
                if place.get().as_ref().is_some_and(|owner| owner != id) {
                    place.insert(None);
                }
            }
        }
    }

    /// Whether another resource of the type has the name, or one that looks like it.
    pub fn has(&self, resource_type: &str, id: &str, name: &str) -> bool {
        let owners = self.owners.get(resource_type);
        let owner = owners.and_then(|owners| owners.get(&confusable_skeleton(name)));
        owner.is_some_and(|owner| owner.as_deref() != Some(id))
    }
}

#[cfg(test)]
mod tests {
    use super::Namesakes;

    #[test]
    fn a_name_is_shared_by_resources_of_one_type_that_are_not_the_same() {
        let (one, other) = (("role", "1", "Helpdesk"), ("role", "2", "Help\u{200b}desk"));
        let mut namesakes = Namesakes::default();
        for (kind, id, name) in [one, one, ("group", "3", "Helpdesk"), ("role", "4", "Owner")] {
            namesakes.add(kind, id, name);
        }
        assert!(!namesakes.has(one.0, one.1, one.2));
        namesakes.add(other.0, other.1, other.2);
        assert!(namesakes.has(one.0, one.1, one.2) && namesakes.has(other.0, other.1, other.2));
        assert!(!namesakes.has("group", "3", "Helpdesk"));
        assert!(!namesakes.has("role", "5", "Viewer"));
        // Nobody has a row of this id: it has somebody else's name.
        assert!(namesakes.has("role", "6", "Owner"));
    }
}
