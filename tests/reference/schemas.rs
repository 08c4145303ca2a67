//! `docs/reference/*.schema.json`

use crate::file;

#[test]
fn the_schema_of_the_spec_is_the_programs() -> Result<(), serde_json::Error> {
    let text = serde_json::to_string_pretty(&escrr_steps::spec::schema())?;
    file("reference/spec.schema.json", &format!("{text}\n"));
    Ok(())
}

#[test]
fn the_schemas_of_what_is_printed_are_the_programs() {
    file("reference/events.schema.json", escrr::schemas::EVENTS);
    file("reference/document.schema.json", escrr::schemas::DOCUMENT);
}
