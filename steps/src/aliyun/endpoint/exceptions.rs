//! Hosts that do not follow the rule `<product>[-vpc].<region>.aliyuncs.com`.
//!
//! Where the vendor's map and its clients name different hosts for a region, the clients'
//! stands here: it is the one that has been called for years.

use super::Product;

/// Every region that has no row of its own.
pub(super) const ANY: &str = "*";

/// Product, region, host; the first row that fits wins.
type Row = (Product, &'static str, &'static str);

/// On the internet.
pub(super) const PUBLIC: &[Row] = &[
    (Product::Cbn, ANY, "cbn.aliyuncs.com"),
    (Product::Ecs, "cn-hangzhou", "ecs-cn-hangzhou.aliyuncs.com"),
    (Product::Ecs, "cn-shanghai-finance-1", "ecs-cn-hangzhou.aliyuncs.com"),
    (Product::Ecs, "cn-shenzhen-finance-1", "ecs-cn-hangzhou.aliyuncs.com"),
    (Product::Ecs, "cn-north-2-gov-1", "ecs.aliyuncs.com"),
    (Product::Ecs, "cn-beijing-gov-1", "ecs.aliyuncs.com"),
    (Product::Ecs, "cn-edge-1", "ecs.cn-qingdao-nebula.aliyuncs.com"),
    (Product::Ecs, "cn-fujian", "ecs-cn-hangzhou.aliyuncs.com"),
    (Product::Ecs, "cn-hangzhou-finance", "ecs.aliyuncs.com"),
    (Product::Ecs, "cn-hangzhou-internal-prod-1", "ecs-cn-hangzhou.aliyuncs.com"),
    (Product::Ecs, "cn-wuhan", "ecs.aliyuncs.com"),
    (Product::Ecs, "cn-yushanfang", "ecs.aliyuncs.com"),
    (Product::Ecs, "cn-zhangbei", "ecs.aliyuncs.com"),
    (Product::Ecs, "eu-west-1-oxs", "ecs.cn-shenzhen-cloudstone.aliyuncs.com"),
    (Product::Vpc, "cn-hangzhou", "vpc.aliyuncs.com"),
    (Product::Vpc, "cn-shanghai-finance-1", "vpc.aliyuncs.com"),
    (Product::Vpc, "cn-shenzhen-finance-1", "vpc.aliyuncs.com"),
    (Product::Vpc, "cn-north-2-gov-1", "vpc.aliyuncs.com"),
    (Product::Vpc, "cn-beijing-gov-1", "vpc.aliyuncs.com"),
    (Product::Vpc, "cn-edge-1", "vpc-nebula.cn-qingdao-nebula.aliyuncs.com"),
    (Product::Vpc, "cn-fujian", "vpc.aliyuncs.com"),
    (Product::Vpc, "cn-hangzhou-finance", "vpc.aliyuncs.com"),
    (Product::Vpc, "cn-hangzhou-internal-prod-1", "vpc.aliyuncs.com"),
    (Product::Vpc, "cn-wuhan", "vpc.aliyuncs.com"),
    (Product::Vpc, "cn-yushanfang", "vpc.aliyuncs.com"),
    (Product::Vpc, "cn-zhangbei", "vpc.aliyuncs.com"),
    (Product::Vpc, "eu-west-1-oxs", "vpc-nebula.cn-shenzhen-cloudstone.aliyuncs.com"),
    (Product::Sts, "ap-south-1", "sts.aliyuncs.com"),
    (Product::Sts, "ap-southeast-2", "sts.aliyuncs.com"),
    (Product::Sts, "cn-beijing-gov-1", "sts.aliyuncs.com"),
    (Product::Sts, "cn-edge-1", "sts.aliyuncs.com"),
    (Product::Sts, "cn-fujian", "sts.aliyuncs.com"),
    (Product::Sts, "cn-hangzhou-internal-prod-1", "sts.aliyuncs.com"),
    (Product::Sts, "cn-wuhan", "sts.aliyuncs.com"),
    (Product::Sts, "cn-yushanfang", "sts.aliyuncs.com"),
    (Product::Sts, "cn-zhangbei", "sts.aliyuncs.com"),
    (Product::Sts, "eu-west-1-oxs", "sts.aliyuncs.com"),
    (Product::Sts, "cn-hangzhou-finance", "sts.aliyuncs.com"),
    (Product::Sts, "cn-shenzhen-finance-1", "sts.aliyuncs.com"),
];

/// In the vendor's own network.
pub(super) const VPC: &[Row] = &[(Product::Cbn, ANY, "cen.vpc-proxy.aliyuncs.com")];
