//! The calls that are made, and the permission that each needs (RAM, the vendor's access control).

use super::Product;

/// One call of the OpenAPI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Action {
    /// The product.
    pub product: Product,
    /// The action's name.
    pub name: &'static str,
}

impl Action {
    /// One call of a product.
    pub const fn new(product: Product, name: &'static str) -> Self {
        Self { product, name }
    }

    /// The permission, as a policy names it: `cen:CreateCen`.
    ///
    /// Its first part is the product's code in RAM, which for Cbn is not its name.
    pub fn permission(self) -> String {
        let code = match self.product {
            Product::Cbn => "cen",
            Product::Vpc => "vpc",
            Product::Ecs => "ecs",
            Product::Nlb => "nlb",
            Product::PrivateLink => "privatelink",
            Product::Elasticsearch => "elasticsearch",
            Product::Sts => "sts",
        };
        format!("{code}:{}", self.name)
    }

    /// Does it only look?
    pub fn reads(self) -> bool {
        const READS: [&str; 4] = ["Describe", "List", "Get", "Check"];
        READS.iter().any(|verb| self.name.starts_with(verb))
    }
}

/// Services whose own roles the cloud makes at the first use of a product.
pub const LINKED_SERVICES: [&str; 3] =
    ["nlb.aliyuncs.com", "privatelink.aliyuncs.com", "cen.aliyuncs.com"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_has_the_products_code() {
        let create = Action::new(Product::Cbn, "CreateCen");
        assert_eq!((create.permission().as_str(), create.reads()), ("cen:CreateCen", false));
        assert!(Action::new(Product::Vpc, "DescribeVSwitches").reads());
    }
}
