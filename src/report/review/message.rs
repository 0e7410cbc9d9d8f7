//! What a finding says, whatever people and things are to be called in it.

use std::rc::Rc;

use crate::report::access::{HeldVia, entitlement_slug, named};
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
    pub(super) fn held(self, given: &Rc<EntitlementInfo>) -> Self {
        let mut message = self;
        message.0.push(MessagePart::Entitlement(given.clone()));
        match entitlement_slug(given) {
            Some(slug) => message.text(format!(": {slug}")),
            None => message,
        }
    }

    /// Adds how it is held.
    pub(super) fn way(mut self, way: &HeldVia) -> Self {
        let by_itself = way.by_itself();
        let mut joint = "";
        if let Some(word) = by_itself {
            self = self.text(word);
            joint = " and ";
        }
        for given in way.through() {
            self = self.text(format!("{joint}through "));
            self.0.push(MessagePart::Entitlement(given.clone()));
            joint = " and ";
        }
        self
    }

    /// It with names, and ids where they say more.
    pub(super) fn with_names(&self) -> String {
        self.written(named, EntitlementInfo::called)
    }

    /// It with nothing but ids.
    pub(super) fn with_ids(&self) -> String {
        let id = |of: &ResourceInfo| format!("{}:{}", of.named.resource_type, of.named.resource);
        self.written(
            |of, _| id(of),
            |given| {
                let is_told = !given.resource.named.resource_type.is_empty();
                if is_told { id(&given.resource) } else { given.id.clone() }
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
            MessagePart::Entitlement(given) => entitlement(given),
        });
        parts.collect()
    }
}
