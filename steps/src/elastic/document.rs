//! Documents: writing probes, reading them back, samples.

use super::client::{Cluster, count, encode, encode_expression, flag, list, number, text};
use super::error::not_found;
use escrr_engine::Fault;
use reqwest::Method;
use serde_json::{Value, json};

/// What names a document inside an index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DocKey {
    /// Its id.
    pub id: String,
    /// Its routing, when it was written with one.
    pub routing: Option<String>,
}

/// One document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its name inside the index.
    pub key: DocKey,
    /// The number of the operation that wrote it; equal on leader and follower.
    pub seq_no: i64,
    /// Its version; equal on leader and follower.
    pub version: i64,
    /// Its content.
    pub source: Value,
}

/// What a write did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The number of the operation.
    pub seq_no: i64,
    /// The document's version after it.
    pub version: i64,
    /// `created`, `updated`, `deleted`, `noop` or `not_found`.
    pub result: String,
}

impl Cluster {
    /// Writes a document under an id (`PUT /<index>/_doc/<id>`).
    pub async fn index_doc(&self, index: &str, id: &str, doc: &Value) -> Result<Written, Fault> {
        self.write_doc(Method::PUT, &doc_path(index, "_doc", id), Some(doc)).await
    }

    /// Changes fields of a document (`POST /<index>/_update/<id>`).
    pub async fn update_doc(&self, index: &str, id: &str, doc: &Value) -> Result<Written, Fault> {
        let body = json!({"doc": doc});
        self.write_doc(Method::POST, &doc_path(index, "_update", id), Some(&body)).await
    }

    /// Deletes a document (`DELETE /<index>/_doc/<id>`); a missing one is refused as not found.
    pub async fn delete_doc(&self, index: &str, id: &str) -> Result<Written, Fault> {
        self.write_doc(Method::DELETE, &doc_path(index, "_doc", id), None).await
    }

    /// Reads a document, if index and document exist (`GET /<index>/_doc/<id>`).
    ///
    /// It sees what was written a moment ago, without a refresh.
    pub async fn get_doc(&self, index: &str, id: &str) -> Result<Option<Document>, Fault> {
        let path = doc_path(index, "_doc", id);
        match self.ask(Method::GET, &path, &[], None).await {
            Ok(value) => Ok(document(&value)),
            Err(fault) if not_found(&fault) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Draws documents at random, the same ones for the same seed while nothing changes
    /// (`POST /<index>/_search`).
    pub async fn sample_docs(
        &self,
        index: &str,
        seed: u64,
        size: u64,
    ) -> Result<Vec<Document>, Fault> {
        let path = format!("/{}/_search", encode_expression(index));
        let body = json!({
            "size": size,
            "version": true,
            "seq_no_primary_term": true,
            "query": {"function_score": {
                "query": {"match_all": {}},
                "random_score": {"seed": seed, "field": "_seq_no"},
            }},
        });
        self.search_docs(&path, &[], &body).await
    }

    /// Reads the documents of one shard in the order of their sequence numbers
    /// (`POST /<index>/_search`), `size` of them after the number given.
    ///
    /// Within a shard a number is of one document only, so a page can be asked for again and
    /// nothing has to be kept open on the cluster.
    pub async fn page_docs(
        &self,
        index: &str,
        shard: u64,
        (after, size): (Option<i64>, u64),
    ) -> Result<Vec<Document>, Fault> {
        let path = format!("/{}/_search", encode_expression(index));
        let mut body = json!({
            "size": size,
            "version": true,
            "seq_no_primary_term": true,
            "track_total_hits": false,
            "sort": [{"_seq_no": "asc"}],
            "query": {"match_all": {}},
        });
        if let (Some(after), Some(fields)) = (after, body.as_object_mut()) {
            fields.insert("search_after".to_owned(), json!([after]));
        }
        let preference = format!("_shards:{shard}");
        self.search_docs(&path, &[("preference", &preference)], &body).await
    }

    /// Searches, and refuses an answer that not all shards took part in.
    async fn search_docs(
        &self,
        path: &str,
        query: &[(&str, &str)],
        body: &Value,
    ) -> Result<Vec<Document>, Fault> {
        let value = self.ask(Method::POST, path, query, Some(body)).await?;
        let origin = self.origin(&Method::POST, path);
        let failed = count(&value, "/_shards/failed").unwrap_or_default();
        if failed > 0 {
            return Err(Fault::transient(origin.report(format!("{failed} shards did not answer"))));
        }
        let hits = list(&value, "/hits/hits").iter();
        hits.map(|hit| {
            document(hit).ok_or_else(|| origin.unreadable("a hit lacks its sequence number"))
        })
        .collect()
    }

    /// Reads many documents of an index (`POST /<index>/_mget`); none for a missing one.
    ///
    /// The answers have the order of the keys.
    pub async fn get_docs(
        &self,
        index: &str,
        keys: &[DocKey],
    ) -> Result<Vec<Option<Document>>, Fault> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let path = format!("/{}/_mget", encode(index));
        let ask = |key: &DocKey| match &key.routing {
            Some(routing) => json!({"_id": key.id, "routing": routing}),
            None => json!({"_id": key.id}),
        };
        let body = json!({"docs": keys.iter().map(ask).collect::<Vec<Value>>()});
        let value = self.ask(Method::POST, &path, &[], Some(&body)).await?;
        let docs = list(&value, "/docs");
        let origin = self.origin(&Method::POST, &path);
        if docs.len() != keys.len() {
            let why = format!("{} documents were asked for, {} came", keys.len(), docs.len());
            return Err(origin.unreadable(&why));
        }
        if let Some(error) = docs.iter().find_map(|doc| doc.get("error")) {
            return Err(Fault::transient(origin.report(super::error::innermost(error))));
        }
        Ok(docs.iter().map(document).collect())
    }

    async fn write_doc(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Written, Fault> {
        let origin = self.origin(&method, path);
        let value = self.ask(method, path, &[], body).await?;
        let need = |pointer: &str| {
            number(&value, pointer).ok_or_else(|| origin.unreadable(&format!("no `{pointer}`")))
        };
        Ok(Written {
            seq_no: need("/_seq_no")?,
            version: need("/_version")?,
            result: text(&value, "/result").unwrap_or_default(),
        })
    }
}

fn doc_path(index: &str, kind: &str, id: &str) -> String {
    format!("/{}/{kind}/{}", encode(index), encode(id))
}

fn document(value: &Value) -> Option<Document> {
    if flag(value, "/found") == Some(false) {
        return None;
    }
    let key = DocKey { id: text(value, "/_id")?, routing: text(value, "/_routing") };
    Some(Document {
        key,
        seq_no: number(value, "/_seq_no")?,
        version: number(value, "/_version")?,
        source: value.get("_source").cloned().unwrap_or(Value::Null),
    })
}
