use super::*;

#[test]
fn results_and_the_rest_go_their_own_ways() {
    let (ui, captured) = Ui::captured(OutputForm::Human);
    ui.result("42");
    ui.status("looking");
    ui.warning("odd");
    ui.hint("run `escrr plan`");
    ui.detail("not said");
    assert_eq!(captured.out(), "42\n");
    assert_eq!(captured.err(), "looking\nwarning: odd\nhint: run `escrr plan`\n");
}

#[test]
fn an_error_ends_with_its_hints() {
    let (ui, captured) = Ui::captured(OutputForm::Human);
    let error = CommandError::new(codes::NO_SANDBOX, "no sandbox is running")
        .tried("a look")
        .meaning("nothing to ask")
        .hint("start one")
        .next_command("escrr sandbox start");
    ui.error(&error);
    assert_eq!(captured.out(), "");
    assert_eq!(
        captured.err(),
        "error[E0401]: no sandbox is running\n  tried: a look\n  meaning: nothing to ask\n\
         hint: start one\nnext: escrr sandbox start\n"
    );
}

#[test]
fn with_json_an_error_is_the_document_too() {
    let (ui, captured) = Ui::captured(OutputForm::Json);
    ui.error(&CommandError::new(codes::NO_SANDBOX, "none"));
    let document: serde_json::Value = serde_json::from_str(&captured.out()).unwrap();
    assert_eq!(document["exit_code"], 1);
    assert_eq!(document["error"]["code"], "E0401");
}

#[test]
fn only_a_number_of_the_list_is_a_choice() {
    assert_eq!((number(" 1\n", 3), number("3", 3)), (Some(0), Some(2)));
    for other in ["", "0", "4", "-1", "one", "1 2"] {
        assert_eq!(number(other, 3), None, "{other}");
    }
}

#[test]
fn who_answers_with_no_number_of_the_list_is_asked_again() {
    let stage = crate::commands::tests::Stage::new(OutputForm::Human);
    let settings = stage.context().settings;
    let (ui, captured) = Ui::rehearsed(settings, "0\nsecond\n2\n");
    assert_eq!(ui.choose("Number: ", 3).unwrap(), 1);
    assert_eq!(captured.err().matches("from 1 to 3").count(), 2, "{}", captured.err());
    let (ui, _) = Ui::rehearsed(settings, "");
    assert_eq!(ui.choose("Number: ", 3).unwrap_err().code, codes::DECLINED);
}

#[test]
fn nobody_is_asked_without_a_terminal() {
    let (ui, captured) = Ui::captured(OutputForm::Human);
    let error = ui.confirm("Make it?", "yes", "--yes").unwrap_err();
    assert_eq!(error.exit().code(), 2);
    assert!(error.hints[0].contains("--yes"));
    assert_eq!(captured.err(), "");
}

#[test]
fn a_reader_that_went_away_is_no_panic() {
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }
    let (mut ui, captured) = Ui::captured(OutputForm::Human);
    ui.out = Mutex::new(Box::new(Gone));
    ui.result("42");
    ui.status("still here");
    assert_eq!(captured.err(), "still here\n");
}
