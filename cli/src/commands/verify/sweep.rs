//! Probes that a killed verification of this home left: they are removed before anything else.

use crate::Context;
use crate::probes;
use escrr_steps::lag::Link;
use escrr_steps::verify::remove_probe;

/// Removes what is left of the link's probes; what cannot be removed is told and stays recorded.
pub(in crate::commands) async fn sweep(link: &Link<'_>, world: &str, context: Context<'_>) {
    let home = context.settings.home.path();
    let left = match probes::left(home, &link.spec.link, world) {
        Ok(left) => left,
        Err(error) => return context.ui.warning(&error.to_string()),
    };
    for held in left {
        let name = held.record.leader.clone();
        let done = match remove_probe(link, &held.record.probe(), true).await {
            None => held.forget(),
            Some(finding) => {
                let title = finding.kind.title();
                context.ui.warning(&format!("{title}: {}; {}", finding.evidence, finding.next));
                continue;
            }
        };
        match done {
            Ok(()) => {
                context
                    .ui
                    .status(&format!("removed {name}, a probe that a killed verification left"));
            }
            Err(error) => context.ui.warning(&error.to_string()),
        }
    }
}
