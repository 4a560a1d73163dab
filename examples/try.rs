use rulecast::{
    backend::{self, Target},
    definition,
    diagnostic::{self, Diagnostics},
    ir,
    source::SourceText,
};
use std::sync::Arc;
fn main() {
    let p = std::env::args().nth(1).unwrap();
    let src = Arc::new(SourceText::new(p.clone(), std::fs::read_to_string(&p).unwrap()));
    let mut d = Diagnostics::default();
    let defs = definition::parse(&src, &mut d);
    for def in &defs {
        if let Some(rule) = ir::lower(def, &mut d) {
            for t in Target::ALL {
                if let Some(a) = backend::emit(*t, &rule, "x", &mut d) {
                    for a in a {
                        let _ = std::fs::create_dir_all("/tmp/out");
                        std::fs::write(format!("/tmp/out/{}", a.name), &a.text).unwrap();
                    }
                }
            }
        }
    }
    for x in d.sorted() {
        println!("{}", diagnostic::full(&x, false));
    }
}
