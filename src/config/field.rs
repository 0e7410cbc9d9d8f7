//! What a setting is: its name, what values it takes, where it is shown.

/// A setting. `some-name` is the flag `--some-name`, the variable `BATON_SOME_NAME` and the
/// key `some-name` of the file.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: FieldKind,
    /// One sentence, without its full stop.
    pub(crate) help: &'static str,
    /// What only a command line need say besides.
    pub(crate) aside: Option<&'static str>,
    pub(crate) group: HelpGroup,
    pub(crate) short: Option<char>,
    /// What stands for the value in help.
    pub(crate) value: &'static str,
    /// What holds where nothing is given; parsed like a given value.
    pub(crate) default: Option<&'static str>,
    /// A default that depends on something, in words.
    pub(crate) default_in_words: Option<&'static str>,
    pub(crate) is_required: bool,
    pub(crate) is_secret: bool,
    /// Left out of help, as in other baton connectors.
    pub(crate) is_hidden: bool,
    /// Who can set it where C1 shows a form.
    pub(crate) export: SchemaExport,
    /// What the form calls it.
    pub(crate) display_name: &'static str,
}

/// What values a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldKind {
    Text,
    /// A text that a flag need not spell out.
    Option {
        /// What the flag means without a value.
        bare: &'static str,
    },
    Switch,
    Number {
        lowest: i64,
        highest: i64,
    },
    /// Separated by commas, or given several times.
    List,
}

/// Where help puts a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HelpGroup {
    Northflank,
    Sync,
    Service,
    Logs,
    Telemetry,
}

impl HelpGroup {
    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::Northflank => "Northflank",
            Self::Sync => "Sync",
            Self::Service => "Service mode (with ConductorOne)",
            Self::Logs => "Logs",
            Self::Telemetry => "OpenTelemetry",
        }
    }
}

/// Whether a field is part of the exported schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SchemaExport {
    /// No: it concerns the command line only.
    No,
    /// Yes, for whoever operates the connector.
    Operators,
    /// Yes, for whoever sets up the connector.
    Form,
}

impl Field {
    pub(super) const fn new(
        name: &'static str,
        kind: FieldKind,
        value: &'static str,
        help: &'static str,
    ) -> Self {
        Self {
            name,
            kind,
            help,
            aside: None,
            group: HelpGroup::Sync,
            short: None,
            value,
            default: None,
            default_in_words: None,
            is_required: false,
            is_secret: false,
            is_hidden: false,
            export: SchemaExport::No,
            display_name: "",
        }
    }

    pub(super) const fn text(name: &'static str, value: &'static str, help: &'static str) -> Self {
        Self::new(name, FieldKind::Text, value, help)
    }

    pub(super) const fn switch(name: &'static str, help: &'static str) -> Self {
        Self::new(name, FieldKind::Switch, "BOOL", help)
    }

    pub(super) const fn number(
        name: &'static str,
        lowest: i64,
        highest: i64,
        help: &'static str,
    ) -> Self {
        Self::new(name, FieldKind::Number { lowest, highest }, "NUMBER", help)
    }

    pub(super) const fn list(name: &'static str, value: &'static str, help: &'static str) -> Self {
        Self::new(name, FieldKind::List, value, help)
    }

    pub(super) const fn group(mut self, group: HelpGroup) -> Self {
        self.group = group;
        self
    }

    pub(super) const fn aside(mut self, aside: &'static str) -> Self {
        self.aside = Some(aside);
        self
    }

    pub(super) const fn short(mut self, short: char) -> Self {
        self.short = Some(short);
        self
    }

    pub(super) const fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    pub(super) const fn default_in_words(mut self, default: &'static str) -> Self {
        self.default_in_words = Some(default);
        self
    }

    pub(super) const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    pub(super) const fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    pub(super) const fn hidden(mut self) -> Self {
        self.is_hidden = true;
        self
    }

    pub(super) const fn for_operators(mut self) -> Self {
        self.export = SchemaExport::Operators;
        self
    }

    pub(super) const fn for_form(mut self, display_name: &'static str) -> Self {
        self.export = SchemaExport::Form;
        self.display_name = display_name;
        self
    }

    /// The field's variable.
    pub(crate) fn variable(&self) -> String {
        format!("BATON_{}", self.name.replace('-', "_").to_uppercase())
    }

    /// The field's variable and flag, for messages.
    pub(super) fn both_names(&self) -> String {
        format!("{} (--{})", self.variable(), self.name)
    }
}
