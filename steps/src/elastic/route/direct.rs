//! The cluster's own HTTP address.

use super::http::{Http, fetch};
use super::{Ask, Broken};
use crate::elastic::client::Entrance;
use escrr_engine::{Fault, Report};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};

/// The cluster's own HTTP address.
#[derive(Clone, Debug)]
pub(in crate::elastic) struct Direct {
    http: Http,
    authorization: HeaderValue,
}

impl Direct {
    /// Prepares the way; nothing is sent yet.
    pub(in crate::elastic) fn new(entrance: &Entrance) -> Result<Self, Fault> {
        let http = Http::new(&entrance.url, entrance.ca_file.as_deref())?;
        let authorization = entrance.login.header().map_err(|said| {
            Fault::prerequisite(Report::new(format!("sign in at `{}`", http.place), said))
        })?;
        Ok(Self { http, authorization })
    }

    pub(super) fn place(&self) -> &str {
        &self.http.place
    }

    pub(super) async fn exchange(&self, ask: Ask<'_>) -> Result<(u16, Vec<u8>), Broken> {
        let url = self.http.url(ask.path, ask.query);
        let mut request = self
            .http
            .client
            .request(ask.method.clone(), url)
            .header(AUTHORIZATION, self.authorization.clone())
            .header("x-opaque-id", ask.opaque_id);
        if let Some(body) = ask.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_owned());
        }
        let answer = fetch(request).await?;
        Ok((answer.status, answer.body))
    }
}
