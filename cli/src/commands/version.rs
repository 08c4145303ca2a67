//! `escrr version`

use crate::Context;
use crate::args::OutputForm;
use crate::exit::Exit;
use crate::ui::document::EVENTS_SCHEMA;
use serde_json::json;

/// Shows the version, and with JSON what programs have to know about it.
pub(super) fn run(context: Context<'_>) -> Exit {
    let version = env!("CARGO_PKG_VERSION");
    let about = json!({ "name": "escrr", "version": version, "events_schema": EVENTS_SCHEMA });
    match context.ui.form() {
        OutputForm::Human => context.ui.result(&format!("escrr {version}")),
        OutputForm::Json => context.ui.document(&about),
        OutputForm::Ndjson => context.ui.line(&about),
    }
    Exit::Done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::Stage;

    #[test]
    fn the_version_is_cargos() {
        let stage = Stage::new(OutputForm::Human);
        assert_eq!(run(stage.context()), Exit::Done);
        assert_eq!(stage.captured.out(), concat!("escrr ", env!("CARGO_PKG_VERSION"), "\n"));
        let stage = Stage::new(OutputForm::Json);
        run(stage.context());
        let about: serde_json::Value = serde_json::from_str(&stage.captured.out()).unwrap();
        assert_eq!(about["events_schema"], EVENTS_SCHEMA);
    }
}
