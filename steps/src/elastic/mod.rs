//! Elasticsearch clusters.
