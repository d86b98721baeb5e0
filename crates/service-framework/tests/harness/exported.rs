//! What `export!` does but for the symbol, of which a crate has one: here are several services.

macro_rules! exported {
    ($service:ty) => {
        impl service_framework::Exported for $service {}

        impl service_framework::__export::Linked for $service {
            const TABLE: &'static service_framework::__export::Plugin = {
                static TABLE: service_framework::__export::Plugin =
                    service_framework::__export::table::<$service>();
                &TABLE
            };
        }
    };
}

pub(crate) use exported;
