//! `escrr schema`

use crate::Context;
use crate::args::{OutputForm, SchemaArgs, SchemaOf};
use crate::codes;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::schemas::{DOCUMENT, EVENTS};
use serde_json::Value;

/// Prints the schema; it is JSON in every form, since that is what it is.
pub(super) fn run(args: SchemaArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let read = |text: &str| {
        let read: Result<Value, _> = serde_json::from_str(text);
        read.map_err(|error| CommandError::new(codes::BUG, error.to_string()))
    };
    let schema = match args.what {
        SchemaOf::Spec => escrr_steps::spec::schema(),
        SchemaOf::Events => read(EVENTS)?,
        SchemaOf::Document => read(DOCUMENT)?,
    };
    match context.ui.form() {
        OutputForm::Human | OutputForm::Json => context.ui.foreign_document(&schema),
        OutputForm::Ndjson => context.ui.line(&schema),
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::Stage;
    use clap::ValueEnum as _;

    #[test]
    fn each_schema_is_json_in_every_form() {
        for form in [OutputForm::Human, OutputForm::Json, OutputForm::Ndjson] {
            for what in SchemaOf::value_variants() {
                let stage = Stage::new(form);
                run(SchemaArgs { what: *what }, stage.context()).unwrap();
                let schema: Value = serde_json::from_str(&stage.captured.out()).unwrap();
                assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
                assert!(schema["title"].is_string());
            }
        }
    }
}
