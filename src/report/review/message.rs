//! What a finding says, whatever people and things are to be called in it.

use std::rc::Rc;

use crate::report::access::{HeldVia, entitlement_slug, label_with_id};
use crate::report::model::{EntitlementInfo, ResourceInfo};

/// A sentence about people and things.
#[derive(Debug, Clone, Default)]
pub(super) struct Message(Vec<MessagePart>);

#[derive(Debug, Clone)]
enum MessagePart {
    Text(String),
    /// Somebody or something; with its type where it isn't clear what it is.
    Resource(Rc<ResourceInfo>, bool),
    /// The resource of an entitlement, or its id where the file doesn't tell whose it is.
    Entitlement(Rc<EntitlementInfo>),
}

impl Message {
    /// Adds words.
    pub(super) fn text(mut self, text: impl Into<String>) -> Self {
        self.0.push(MessagePart::Text(text.into()));
        self
    }

    /// Adds a person.
    pub(super) fn person(mut self, of: &Rc<ResourceInfo>) -> Self {
        self.0.push(MessagePart::Resource(of.clone(), false));
        self
    }

    /// Adds a role or the like.
    pub(super) fn resource(mut self, of: &Rc<ResourceInfo>) -> Self {
        self.0.push(MessagePart::Resource(of.clone(), true));
        self
    }

    /// Adds things in a row: `a, b and c`.
    pub(super) fn all<T>(mut self, of: &[T], add: fn(Self, &T) -> Self) -> Self {
        for (number, one) in of.iter().enumerate() {
            let joint = match number {
                0 => "",
                _ if number + 1 == of.len() => " and ",
                _ => ", ",
            };
            self = add(self.text(joint), one);
        }
        self
    }

    /// Adds what is held.
    pub(super) fn entitlement(self, entitlement: &Rc<EntitlementInfo>) -> Self {
        let mut message = self;
        message.0.push(MessagePart::Entitlement(entitlement.clone()));
        match entitlement_slug(entitlement) {
            Some(slug) => message.text(format!(": {slug}")),
            None => message,
        }
    }

    /// Adds how it is held.
    pub(super) fn path(mut self, path: &HeldVia) -> Self {
        let by_itself = path.by_itself();
        let mut joint = "";
        if let Some(word) = by_itself {
            self = self.text(word);
            joint = " and ";
        }
        for entitlement in path.through() {
            self = self.text(format!("{joint}through "));
            self.0.push(MessagePart::Entitlement(entitlement.clone()));
            joint = " and ";
        }
        self
    }

    /// It with names, and ids where they say more.
    pub(super) fn with_names(&self) -> String {
        self.written(label_with_id, EntitlementInfo::label)
    }

    /// It with nothing but ids.
    pub(super) fn with_ids(&self) -> String {
        let id =
            |of: &ResourceInfo| format!("{}:{}", of.reference.resource_type, of.reference.resource);
        self.written(
            |of, _| id(of),
            |entitlement| {
                let is_told = !entitlement.resource.reference.resource_type.is_empty();
                if is_told { id(&entitlement.resource) } else { entitlement.id.clone() }
            },
        )
    }

    fn written(
        &self,
        resource: impl Fn(&ResourceInfo, bool) -> String,
        entitlement: impl Fn(&EntitlementInfo) -> String,
    ) -> String {
        let parts = self.0.iter().map(|part| match part {
            MessagePart::Text(text) => text.clone(),
            MessagePart::Resource(of, with_type) => resource(of, *with_type),
            MessagePart::Entitlement(held) => entitlement(held),
        });
        parts.collect()
    }
}
