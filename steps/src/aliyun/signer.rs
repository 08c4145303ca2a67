//! From a call to a signed request, in either style and by either generation of signatures.

use super::cloud::{Credentials, Origin, Rest};
use super::endpoint::Product;
use super::sign::encode::Moment;
use super::sign::{roa, rpc, v3};
use super::transport::{Outgoing, authority};
use reqwest::{Method, Url};
use std::collections::BTreeMap;

/// Who signs one attempt at one call, and when.
#[derive(Clone, Copy)]
pub(super) struct Signer<'a> {
    pub(super) origin: &'a Origin,
    pub(super) credentials: &'a Credentials,
    pub(super) moment: &'a Moment,
}

impl Signer<'_> {
    /// RPC by V1: one form.
    pub(super) fn rpc(self, url: Url, params: BTreeMap<String, String>) -> Outgoing {
        let signed = rpc::sign("POST", params, self.credentials, self.moment);
        let content_type = "application/x-www-form-urlencoded".to_owned();
        Outgoing {
            method: Method::POST,
            url,
            headers: vec![
                ("accept", "application/json".to_owned()),
                ("content-type", content_type),
            ],
            body: rpc::form(&signed).into_bytes(),
        }
    }

    /// ROA by V1.
    pub(super) fn roa(self, mut url: Url, rest: &Rest) -> Outgoing {
        let request = roa::Request {
            method: rest.method.as_str(),
            path: &rest.path,
            query: &rest.query,
            action: self.origin.action,
            version: self.origin.product.version(),
            has_body: rest.body.is_some(),
        };
        let headers = roa::sign(request, self.credentials, self.moment);
        url.set_path(&rest.path);
        if !rest.query.is_empty() {
            url.set_query(Some(&rpc::form(&rest.query)));
        }
        let body = rest.body.as_ref().map(|body| body.to_string().into_bytes());
        Outgoing {
            method: rest.method.clone(),
            url,
            headers: headers.into_iter().collect(),
            body: body.unwrap_or_default(),
        }
    }

    /// RPC by V3: action and version are headers; parameters go where the vendor's clients put
    /// them, into a form for Nlb, into the query for the others.
    pub(super) fn v3_rpc(self, url: Url, params: &BTreeMap<String, String>) -> Outgoing {
        let mut params = params.clone();
        params.retain(|name, _| !["Action", "Version"].contains(&name.as_str()));
        let (mut query, mut form) = (BTreeMap::new(), None);
        match self.origin.product {
            Product::Nlb => form = Some(rpc::form(&params).into_bytes()),
            Product::Cbn
            | Product::Vpc
            | Product::Ecs
            | Product::PrivateLink
            | Product::Elasticsearch
            | Product::Sts => query = params,
        }
        let content = form.map(|body| ("application/x-www-form-urlencoded", body));
        self.v3((Method::POST, url), &query, content)
    }

    /// ROA by V3.
    pub(super) fn v3_roa(self, mut url: Url, rest: &Rest) -> Outgoing {
        url.set_path(&rest.path);
        let body = rest.body.as_ref().map(|body| body.to_string().into_bytes());
        let content = body.map(|body| ("application/json; charset=utf-8", body));
        self.v3((rest.method.clone(), url), &rest.query, content)
    }

    /// Signs a request of either style by V3; `content` is a body and its type.
    fn v3(
        self,
        (method, mut url): (Method, Url),
        query: &BTreeMap<String, String>,
        content: Option<(&'static str, Vec<u8>)>,
    ) -> Outgoing {
        let (content_type, body) = content.unzip();
        let body = body.unwrap_or_default();
        let request = v3::Request {
            method: method.as_str(),
            host: &authority(&url),
            path: url.path(),
            query,
            action: self.origin.action,
            version: self.origin.product.version(),
            content_type,
            body: &body,
        };
        let headers = v3::sign(request, self.credentials, self.moment);
        if !query.is_empty() {
            url.set_query(Some(&rpc::form(query)));
        }
        Outgoing { method, url, headers: headers.into_iter().collect(), body }
    }
}
