//! The documented job: clients of Alibaba Cloud and Elasticsearch, and one node a documented act.

pub mod aliyun;
pub mod elastic;
pub mod secret;
