//! `config`: the schema of the configuration.

use serde::Serialize;

use crate::cli::exit::Failure;
use crate::cli::output;
use crate::config::{FIELDS, Field, FieldKind, HelpGroup, SchemaExport};
use crate::connector::DISPLAY_NAME;

/// The subcommand.
pub(super) fn command() -> clap::Command {
    clap::Command::new("config").about("Print the settings that a form can show, as JSON")
}

/// Prints the schema of the configuration, as `config_schema.json` holds it.
pub(super) fn print() -> Result<(), Failure> {
    let mut fields: Vec<_> =
        FIELDS.iter().filter(|field| field.export != SchemaExport::No).copied().collect();
    fields.sort_by_key(|field| exported_place(field));
    let schema = output::json(&Configuration {
        fields: fields.into_iter().map(ExportedField::new).collect(),
        display_name: DISPLAY_NAME,
        help_url: "/docs/baton/northflank",
        icon_url: "/static/app-icons/northflank.svg",
    })?;
    output::print(schema.as_bytes())
}

/// The order of other connectors' schemas: what concerns operators, then the form.
fn exported_place(field: &Field) -> (bool, u8) {
    let group = match field.group {
        HelpGroup::Logs => 0,
        HelpGroup::Telemetry => 1,
        HelpGroup::Service => 2,
        HelpGroup::Northflank | HelpGroup::Sync => 3,
    };
    (field.export == SchemaExport::Form, group)
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
            is_ops: field.export == SchemaExport::Operators,
            is_secret: field.is_secret,
            values: match field.kind {
                FieldKind::Text | FieldKind::Option { .. } => ExportedValues::String {
                    default_value: field.default,
                    rules: field.is_required.then_some(StringRules { is_required: true }),
                },
                FieldKind::Switch => ExportedValues::Bool {},
                FieldKind::Number { lowest, highest } => ExportedValues::Int {
                    default_value: field.default,
                    rules: IntRules { lte: highest.to_string(), gte: lowest.to_string() },
                },
                FieldKind::List => ExportedValues::StringSlice {},
            },
        }
    }
}

/// For serde, which hands out references.
#[expect(clippy::trivially_copy_pass_by_ref)]
fn is_false(value: &bool) -> bool {
    !value
}
