//! What the connector says of itself: capabilities, the schema of its configuration,
//! completions, the manual page.

use std::io::Write;

use clap_complete::Shell;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde::Serialize;

use crate::baton::{DESCRIPTORS, annotation};
use crate::connector::{DISPLAY_NAME, capabilities};

use super::exit::Failure;
use super::fields::{Export, FIELDS, Field, Group, Kind};
use super::flags;

/// The capabilities in protobuf's JSON, as `baton_capabilities.json` holds them.
pub(super) fn capabilities_json() -> Result<String, Failure> {
    let any = annotation(&capabilities()).encode_to_vec();
    // Reflection knows how JSON names fields and enums, and what an `Any` looks like in it.
    let capabilities = DescriptorPool::decode(DESCRIPTORS)
        .ok()
        .and_then(|pool| pool.get_message_by_name("google.protobuf.Any"))
        .and_then(|descriptor| DynamicMessage::decode(descriptor, any.as_slice()).ok());
    json(&capabilities)
}

/// The schema of the configuration, as `config_schema.json` holds it.
pub(super) fn config_json() -> Result<String, Failure> {
    let mut fields: Vec<_> =
        FIELDS.iter().filter(|field| field.export != Export::No).copied().collect();
    fields.sort_by_key(|field| exported_place(field));
    json(&Configuration {
        fields: fields.into_iter().map(ExportedField::new).collect(),
        display_name: DISPLAY_NAME,
        help_url: "/docs/baton/northflank",
        icon_url: "/static/app-icons/northflank.svg",
    })
}

/// The order of other connectors' schemas: what concerns operators, then the form.
fn exported_place(field: &Field) -> (bool, u8) {
    let group = match field.group {
        Group::Logs => 0,
        Group::Telemetry => 1,
        Group::Service => 2,
        Group::Northflank | Group::Sync => 3,
    };
    (field.export == Export::Form, group)
}

/// A script that completes the command line in `shell`.
pub(super) fn completion(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    let mut command = flags::command();
    let name = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, name, &mut script);
    script
}

/// The manual page, in roff.
pub(super) fn manual_page() -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(flags::command()).render(&mut page).map_err(Failure::Output)?;
    Ok(page)
}

/// Writes to standard output.
pub(super) fn print(text: &[u8]) -> Result<(), Failure> {
    let mut output = std::io::stdout().lock();
    match output.write_all(text).and_then(|()| output.flush()) {
        // A reader that went away has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome.map_err(Failure::Output),
    }
}

/// A value as indented JSON.
pub(super) fn json(value: &impl Serialize) -> Result<String, Failure> {
    let mut text =
        serde_json::to_string_pretty(value).map_err(|error| Failure::Output(error.into()))?;
    text.push('\n');
    Ok(text)
}

/// `c1.config.v1.Configuration` in protobuf's JSON: false and empty values are left out,
/// 64-bit integers are strings.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    fields: Vec<ExportedField>,
    display_name: &'static str,
    help_url: &'static str,
    icon_url: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExportedField {
    name: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    display_name: &'static str,
    description: &'static str,
    #[serde(skip_serializing_if = "is_false")]
    is_required: bool,
    #[serde(skip_serializing_if = "is_false")]
    is_ops: bool,
    #[serde(skip_serializing_if = "is_false")]
    is_secret: bool,
    #[serde(flatten)]
    values: ExportedValues,
}

#[derive(Serialize)]
#[serde(rename_all_fields = "camelCase")]
enum ExportedValues {
    #[serde(rename = "stringField")]
    String {
        #[serde(skip_serializing_if = "Option::is_none")]
        default_value: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        rules: Option<StringRules>,
    },
    #[serde(rename = "boolField")]
    Bool {},
    #[serde(rename = "intField")]
    Int {
        #[serde(skip_serializing_if = "Option::is_none")]
        default_value: Option<&'static str>,
        rules: IntRules,
    },
    #[serde(rename = "stringSliceField")]
    StringSlice {},
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StringRules {
    is_required: bool,
}

#[derive(Serialize)]
struct IntRules {
    lte: String,
    gte: String,
}

impl ExportedField {
    fn new(field: &Field) -> Self {
        Self {
            name: field.name,
            display_name: field.display_name,
            description: field.help,
            is_required: field.is_required,
            is_ops: field.export == Export::Operators,
            is_secret: field.is_secret,
            values: match field.kind {
                Kind::Text | Kind::Option { .. } => ExportedValues::String {
                    default_value: field.default,
                    rules: field.is_required.then_some(StringRules { is_required: true }),
                },
                Kind::Switch => ExportedValues::Bool {},
                Kind::Number { lowest, highest } => ExportedValues::Int {
                    default_value: field.default,
                    rules: IntRules { lte: highest.to_string(), gte: lowest.to_string() },
                },
                Kind::List => ExportedValues::StringSlice {},
            },
        }
    }
}

/// For serde, which hands out references.
#[expect(clippy::trivially_copy_pass_by_ref)]
fn is_false(value: &bool) -> bool {
    !value
}
