//! `escrr schema`

use crate::Context;
use crate::args::{OutputForm, SchemaArgs, SchemaOf};
use crate::exit::Exit;

/// Prints the schema; it is JSON in every form, since that is what it is.
pub(super) fn run(args: SchemaArgs, context: Context<'_>) -> Exit {
    let schema = match args.what {
        SchemaOf::Spec => escrr_steps::spec::schema(),
    };
    match context.ui.form() {
        OutputForm::Human | OutputForm::Json => context.ui.document(&schema),
        OutputForm::Ndjson => context.ui.line(&schema),
    }
    Exit::Done
}
