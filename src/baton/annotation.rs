//! Annotations: messages packed into `google.protobuf.Any`.

use prost::{Message, Name};
use prost_types::Any;

/// Packs `message` under its `type.googleapis.com/<full name>` URL.
pub fn annotation<M: Message + Name>(message: &M) -> Any {
    Any { type_url: M::type_url(), value: message.encode_to_vec() }
}

/// The first annotation of one kind, if it can be read.
pub fn find<M: Message + Name + Default>(annotations: &[Any]) -> Option<M> {
    let found = annotations.iter().find(|any| any.type_url == M::type_url())?;
    M::decode(&*found.value).ok()
}

#[cfg(test)]
mod tests {
    use super::annotation;
    use crate::baton::v2::{GrantImmutable, UserTrait};

    #[test]
    fn type_urls_carry_the_full_name_of_the_message() {
        assert_eq!(
            annotation(&UserTrait::default()).type_url,
            "type.googleapis.com/c1.connector.v2.UserTrait"
        );
        assert_eq!(
            annotation(&GrantImmutable::default()).type_url,
            "type.googleapis.com/c1.connector.v2.GrantImmutable"
        );
    }
}
