//! Recipes; one that is accepted reads back as itself.
#![no_main]

use renderer::recipe::Recipe;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(recipe) = Recipe::from_json(text) {
        let again = Recipe::from_json(&recipe.to_json()).expect("what was written can be read");
        assert!(again.to_json() == recipe.to_json());
    }
});
