//! Encoded messages, field by field. What is changed is changed as bytes, so that fields which are
//! not known here stay what they are.

use prost::DecodeError;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

/// What of a field stays.
pub(super) enum FieldEdit {
    All,
    Nothing,
    /// It, with this value.
    Part(Vec<u8>),
}

/// A message with what `keep` says of each field that holds bytes, by number and value.
pub(super) fn edit_fields(
    mut message: &[u8],
    keep: impl Fn(u32, &[u8]) -> Result<FieldEdit, DecodeError>,
) -> Result<Vec<u8>, DecodeError> {
    let mut kept = Vec::with_capacity(message.len());
    while !message.is_empty() {
        let field = next_field(&mut message)?;
        match keep(field.number, field.value)? {
            FieldEdit::All => kept.extend_from_slice(field.encoded),
            FieldEdit::Nothing => {}
            FieldEdit::Part(value) => {
                prost::encoding::bytes::encode(field.number, &value, &mut kept);
            }
        }
    }
    Ok(kept)
}

struct MessageField<'message> {
    number: u32,
    /// The bytes that it holds; none if it is of another kind.
    value: &'message [u8],
    /// All of it.
    encoded: &'message [u8],
}

/// Takes the next field off a message.
fn next_field<'message>(
    message: &mut &'message [u8],
) -> Result<MessageField<'message>, DecodeError> {
    let begin = *message;
    let (number, wire_type) = decode_key(message)?;
    let mut value = *message;
    skip_field(wire_type, number, message, DecodeContext::default())?;
    let encoded = &begin[..begin.len() - message.len()];
    if wire_type == WireType::LengthDelimited {
        value = &value[..value.len() - message.len()];
        decode_varint(&mut value)?;
    } else {
        value = &[];
    }
    Ok(MessageField { number, value, encoded })
}

/// The bytes that a field of a message holds; none where there is no such field.
pub(super) fn bytes_of(mut message: &[u8], number: u32) -> Result<&[u8], DecodeError> {
    while !message.is_empty() {
        let field = next_field(&mut message)?;
        if field.number == number {
            return Ok(field.value);
        }
    }
    Ok(&[])
}
