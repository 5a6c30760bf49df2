use super::*;

#[test]
fn the_schema_tells_the_shipped_limits() {
    let [(_, schema), ..] = schemas();
    let shipped = schema["properties"]["budget"]["default"]
        .as_object()
        .unwrap();
    let lines: Vec<String> = shipped
        .iter()
        .map(|(key, amount)| format!("{key} = {amount}\n"))
        .collect();
    let machine = format!("[budget]\n{}", lines.concat());
    assert_eq!(resolve(&machine, "", None, &[]).0.budget.overall(), SHIPPED);
    assert_eq!(
        ledger::Limits {
            session: None,
            workspace: None,
            ..SHIPPED
        },
        SHIPPED
    );
}

#[test]
fn published_schemas_are_those_of_the_types() {
    for (name, schema) in schemas() {
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        expect_file![format!("../../../../../docs/schema/{name}")].assert_eq(&text);
    }
}

#[test]
fn every_key_is_documented() {
    fn keys(schema: &Value, found: &mut Vec<String>) {
        for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
            found.push(key.clone());
            keys(inner, found);
        }
        if let Some(inner) = schema.get("additionalProperties") {
            keys(inner, found);
        }
    }
    let page = include_str!("../../../../../docs/configuration.md");
    for (name, schema) in schemas() {
        let mut found = Vec::new();
        keys(&schema, &mut found);
        for key in found {
            assert!(
                page.contains(&format!("`{key}`")),
                "docs/configuration.md does not say what `{key}` of {name} is"
            );
        }
    }
}
