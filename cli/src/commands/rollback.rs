//! `escrr rollback`

use super::conclusion::{Concluded, conclude, conclusions};
use super::resume::{job, known};
use crate::Context;
use crate::args::RollbackArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::place;
use crate::session::{Session, person};
use crate::ui::result;
use escrr_engine::store::Head;
use escrr_engine::{Direction, Event, Outcome};

/// The flag that answers the question.
const YES: &str = "--yes";

/// Takes back what was made, in reverse.
pub(super) async fn run(args: &RollbackArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let choice = args.sandbox.choice();
    let head = known(args.link.link.as_deref(), place::kind(choice), context)?;
    place::same_world(&head.link, &head.world, choice, "rollback")?;
    let ask = !args.confirm.yes && head.outcome != Some(Outcome::RolledBack);
    if ask {
        context.ui.can_ask(YES)?;
    }
    let links = [head.link.clone()];
    let mut session =
        Session::open("rollback", &links, (&args.sandbox, &args.die), context).await?;
    let done = take_back(&mut session, &head, ask, context).await;
    session.leave().await;
    done
}

async fn take_back(
    session: &mut Session<'_>,
    head: &Head,
    ask: bool,
    context: Context<'_>,
) -> Result<Exit, CommandError> {
    let (saga, _) = session.engine.load(head.saga).await?;
    if saga.outcome == Some(Outcome::RolledBack) {
        context.ui.status(&format!("{} is taken back already, nothing to take back", saga.link));
        let all = [Concluded::of(saga, None)];
        return Ok(conclude(&all, session.engine.catalog.about(), &session.flag, context));
    }
    let job = job(session, &saga, context).await?;
    let list =
        result::to_take_back(&saga, session.engine.catalog.about(), context.ui.columns_stderr());
    if ask {
        context.ui.status(&list);
        context.ui.confirm("What is deleted is gone for good.", &saga.link, YES)?;
    } else {
        context.ui.detail(&list);
    }
    let by = person(context);
    match saga.direction {
        Direction::Forward => {
            session.engine.say(saga.id, Event::RollbackBegun { by }).await?;
        }
        Direction::Backward if saga.stopped() => {
            session.engine.say(saga.id, Event::Resumed { by }).await?;
        }
        Direction::Backward => {}
    }
    let driven = session.drive(&[job]).await?;
    let all = conclusions(driven, context);
    Ok(conclude(&all, session.engine.catalog.about(), &session.flag, context))
}
