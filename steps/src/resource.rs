//! One way for every resource that carries our tags: finding it, and taking it back.
//!
//! The id that a call was answered with beats every list: a resource whose id is known is looked
//! for by that id, and only that look says that it is gone. Lists by tag find what no id is known
//! of. A resource that we created and whose tags somebody removed is still told by its id.

use crate::World;
use crate::aliyun::{TagKind, Tags};
use crate::nodes::if_there;
use crate::own::{Foreign, Found, Owner, foreign, pick, several, unmarked};
use crate::sharing::{self, Share};
use escrr_engine::{Act, Cx, Fault, Remains, Seen};
use std::collections::BTreeSet;

/// A node whose items are resources with an id and tags of their own.
pub(crate) trait Resource: Act<World = World> {
    /// One of them, as the cloud lists it.
    type Thing: Send + Sync;
    /// Which kind of resource it is.
    const KIND: TagKind;

    /// The region that it is in.
    fn region<'a>(cx: &'a Cx<'_, Self>) -> &'a str;
    /// Its id.
    fn id(thing: &Self::Thing) -> &str;
    /// Its tags.
    fn tags(thing: &Self::Thing) -> &Tags;
    /// Its status, and whether it can be deleted in it.
    fn status(thing: &Self::Thing) -> (&str, bool);
    /// The ids that the node's output names.
    fn ids(output: &Self::Output) -> Vec<String>;

    /// The one with this id; a fault that says there is none is none.
    fn by_id(
        cx: &Cx<'_, Self>,
        id: &str,
    ) -> impl Future<Output = Result<Option<Self::Thing>, Fault>> + Send;
    /// All that carry the tags of this node and link, of whatever saga.
    fn by_tags(cx: &Cx<'_, Self>) -> impl Future<Output = Result<Vec<Self::Thing>, Fault>> + Send;
    /// Deletes the one with this id.
    fn delete(
        cx: &Cx<'_, Self>,
        id: &str,
        token: &str,
    ) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// What an item of the node is, while it is being created.
pub(crate) async fn find<R: Resource>(
    cx: &Cx<'_, R>,
    item: &str,
) -> Result<Found<R::Thing>, Fault> {
    if let Some(id) = cx.ids.get(item) {
        let thing = if_there(R::by_id(cx, id).await)?.flatten();
        return Ok(thing.map_or(Found::None, |thing| {
            let owner = Owner::of(R::tags(&thing), cx.saga);
            Found::One(thing, owner)
        }));
    }
    let all = R::by_tags(cx).await?;
    let who = (R::ID, cx.saga, cx.world.spec.link.as_str());
    Ok(pick(all, who, R::tags, R::id))
}

/// The one resource of the node and whose it is, or what the look has to say instead.
pub(crate) fn one<R: Resource, O>(
    cx: &Cx<'_, R>,
    found: Found<R::Thing>,
) -> Result<(R::Thing, Owner), Seen<O>> {
    match found {
        Found::None => Err(Seen::absent()),
        Found::One(thing, _) => whose::<R, O>(cx, &thing).map(|owner| (thing, owner)),
        Found::Several(ids) => Err(Seen::Drifted(several(R::KIND.name(), &ids))),
    }
}

/// Whose a resource is that serves the node, or why the node may not go on with it: it lost our
/// tags, another run of this link has it, or another link's has to be pinned first.
pub(crate) fn whose<R: Resource, O>(cx: &Cx<'_, R>, thing: &R::Thing) -> Result<Owner, Seen<O>> {
    let (id, tags) = (R::id(thing), R::tags(thing));
    if Owner::of(tags, cx.saga) == Owner::Us {
        return Ok(Owner::Us);
    }
    let link = cx.world.spec.link.as_str();
    let what = R::KIND.name();
    if cx.ids.values().any(|known| known == id) {
        return Err(Seen::Drifted(unmarked(what, &[id.to_owned()], R::COST)));
    }
    if let Some(of) = Foreign::of(tags, id, (cx.saga, link), &cx.world.known_sagas) {
        return Err(Seen::Drifted(foreign(what, &of)));
    }
    match sharing::missing_pin(tags, id, (cx.saga, link)) {
        Some(item) => Err(Seen::Absent(vec![item])),
        None => Ok(Owner::Others),
    }
}

/// Carries out an item that is no creation; `None` for one that is.
pub(crate) async fn shared<R: Resource>(
    cx: &Cx<'_, R>,
    item: &str,
) -> Option<Result<Option<String>, Fault>> {
    let id = sharing::pinned(item)?;
    let tags = sharing::pin(&cx.world.spec.link, cx.saga, R::ID);
    let at = (R::region(cx), R::KIND);
    Some(cx.world.cloud.tag(at, id, &tags).await.map(|()| None))
}

/// The ids that this saga was told of: by answers to its calls, and by an output that it made.
fn known<R: Resource>(cx: &Cx<'_, R>) -> BTreeSet<String> {
    let output = cx.output.as_ref().filter(|_| cx.made);
    cx.ids.values().cloned().chain(output.into_iter().flat_map(R::ids)).collect()
}

/// What there is of what this saga created.
pub(crate) struct Ours<T> {
    /// What carries its tags.
    pub(crate) things: Vec<T>,
    /// The ids of what it created and what does not carry them any more.
    pub(crate) unmarked: Vec<String>,
    /// What it created and has handed over to another link, as a sentence.
    pub(crate) handed_over: Vec<String>,
}

/// Everything that this saga created for the node and that still exists.
pub(crate) async fn ours<R: Resource>(cx: &Cx<'_, R>) -> Result<Ours<R::Thing>, Fault> {
    let mine = |thing: &R::Thing| Owner::of(R::tags(thing), cx.saga) == Owner::Us;
    let things = R::by_tags(cx).await?.into_iter().filter(mine).collect();
    let mut ours: Ours<R::Thing> = Ours { things, unmarked: Vec::new(), handed_over: Vec::new() };
    for id in known(cx) {
        if ours.things.iter().any(|thing| R::id(thing) == id) {
            continue;
        }
        let Some(thing) = if_there(R::by_id(cx, &id).await)?.flatten() else { continue };
        if mine(&thing) {
            ours.things.push(thing);
        } else if let Some(link) = sharing::handed_over_to(R::tags(&thing), &cx.world.spec.link) {
            ours.handed_over.push(format!("{id} belongs to the link {link} now, which uses it"));
        } else {
            ours.unmarked.push(id);
        }
    }
    Ok(ours)
}

/// What is left of what the node created; its items are ids, and pins on what others created.
pub(crate) async fn remains<R: Resource>(cx: &Cx<'_, R>) -> Result<Remains, Fault> {
    let ours = ours(cx).await?;
    let left = left(cx, &ours);
    if !matches!(left, Remains::Nothing | Remains::Kept(_)) {
        return Ok(left);
    }
    Ok(pins(cx).await?.map_or(left, |item| Remains::Items(vec![item])))
}

/// The next pin of ours on somebody else's resource.
async fn pins<R: Resource>(cx: &Cx<'_, R>) -> Result<Option<String>, Fault> {
    for id in cx.items.iter().filter_map(|item| sharing::pinned(item)) {
        let thing = if_there(R::by_id(cx, id).await)?.flatten();
        if thing.is_some_and(|t| sharing::has_pin(R::tags(&t), (cx.saga, &cx.world.spec.link))) {
            return Ok(Some(sharing::unpin_item(id)));
        }
    }
    Ok(None)
}

/// What is left of what was found already.
pub(crate) fn left<R: Resource>(cx: &Cx<'_, R>, ours: &Ours<R::Thing>) -> Remains {
    if !ours.unmarked.is_empty() {
        return Remains::Drifted(unmarked(R::KIND.name(), &ours.unmarked, R::COST));
    }
    let moving = ours.things.iter().find_map(|thing| match R::status(thing) {
        (_, true) => None,
        (status, false) => Some(format!("{} is {status}", R::id(thing))),
    });
    if let Some(why) = moving {
        return Remains::Pending(why);
    }
    let link = cx.world.spec.link.as_str();
    let item = |thing: &R::Thing| match sharing::user(R::tags(thing), link) {
        Some(_) => sharing::hand_over_item(R::id(thing)),
        None => R::id(thing).to_owned(),
    };
    match (ours.things.is_empty(), ours.handed_over.is_empty()) {
        (false, _) => Remains::Items(ours.things.iter().map(item).collect()),
        (true, false) => Remains::Kept(ours.handed_over.join("; ")),
        (true, true) => Remains::Nothing,
    }
}

/// Deletes what the last look named as ours, hands over what another link uses, or takes our pin
/// off what others created.
pub(crate) async fn undo<R: Resource>(cx: &Cx<'_, R>, item: &str) -> Result<(), Fault> {
    let (at, cloud) = ((R::region(cx), R::KIND), &cx.world.cloud);
    let link = cx.world.spec.link.as_str();
    match sharing::read(item) {
        Some(Share::Unpin(id)) => {
            if_there(cloud.untag(at, id, &sharing::pin_key(link)).await).map(drop)
        }
        Some(Share::HandOver(id)) => {
            let Some(thing) = R::by_id(cx, id).await? else { return Ok(()) };
            match sharing::user(R::tags(&thing), link) {
                Some(user) => cloud.tag(at, id, &user.tags()).await,
                None => Ok(()),
            }
        }
        None => if_there(R::delete(cx, item, &cx.undo_token(item)).await).map(drop),
    }
}
