"""The product's rule for hosts against the official clients' own."""

import importlib
import re

from alibabacloud_tea_openapi.utils_models import Config

import models
from vocabulary import SOURCE

# Regions with everything that a follower needs, and those that only a leader can be in.
REGIONS = (
    "ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3",
    "ap-southeast-5", "cn-beijing", "cn-chengdu", "cn-hangzhou", "cn-hangzhou-finance",
    "cn-hongkong", "cn-north-2-gov-1", "cn-qingdao", "cn-shanghai", "cn-shanghai-finance-1",
    "cn-shenzhen", "cn-guangzhou", "cn-wulanchabu", "cn-zhangjiakou", "eu-central-1",
    "eu-west-1", "us-east-1", "us-west-1",
)

# The vendor's map names the central host there, its client a regional one.
DISPUTED = {("Sts", "cn-hangzhou-finance")}


def ours():
    """The rule as the product's source has it: central, an exception, or by region."""
    text = (SOURCE / "endpoint" / "exceptions.rs").read_text()
    public = text.split("const PUBLIC")[1].split("];")[0]
    rows = re.findall(r'\(Product::(\w+), (ANY|"[\w-]+"), "([\w.-]+)"\)', public)
    exceptions = {(product, region.strip('"')): host for product, region, host in rows}

    def host(product, region):
        rule = f"{product.lower()}.{region}.aliyuncs.com"
        return exceptions.get((product, region), exceptions.get((product, "ANY"), rule))
    return host


def compare(findings):
    """Says where a client would go to another host than the product."""
    host = ours()
    for product, package in models.PACKAGES.items():
        client = importlib.import_module(package + ".client").Client
        for region in REGIONS:
            if (product, region) in DISPUTED:
                continue
            config = Config(access_key_id="key", access_key_secret="secret", region_id=region)
            theirs = client(config)._endpoint
            findings.equal(host(product, region), theirs, f"{product} in {region}")
