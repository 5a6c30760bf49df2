use super::*;

fn check_setup(machine: &str, env: &[&str], expected: Expect) {
    let (config, problems) = resolve(machine, "", None, env);
    let shown = match &config.provider {
        ProviderSetup::Ready(Endpoint {
            kind,
            base_url,
            key,
            header,
            free,
            ..
        }) => {
            let free = if *free { ", free" } else { "" };
            let of = &config.models.default;
            let model = if *kind == ProviderKind::Anthropic {
                String::new()
            } else {
                format!(", {of}")
            };
            format!("{kind:?} at {base_url}, {key:?}, {header:?}{free}{model}\n")
        }
        ProviderSetup::Missing { what_to_do } => format!("missing: {what_to_do}\n"),
    };
    expected.assert_eq(&(lines(&problems) + &shown));
}

#[test]
fn a_key_is_never_taken_from_a_file_and_never_shown() {
    check_problems(
        "[provider]\nkey = \"sk-canary\"\nkey_env = \"sk-canary\"\n",
        "",
        expect![[r#"
            config.toml:2:1: provider.key: a key is never written in a file, because files are copied, synchronised and committed; say where it is: key_env = "ANTHROPIC_API_KEY" or key_command = ["/usr/bin/pass", "show", "anthropic"]
            config.toml:3:1: provider.key_env: must be the name of an environment variable, such as "ANTHROPIC_API_KEY", and not the key itself
        "#]],
    );
    check_problems(
        "[provider]\nkey_env = \"A\"\nkey_command = [\"pass\"]\n",
        "",
        expect![[r#"
            config.toml:3:1: provider.key_command: must be an absolute path, so that it means the same file wherever the server starts
        "#]],
    );
    check_problems(
        "[provider]\nkey_env = \"A\"\nkey_command = [\"/usr/bin/pass\"]\n",
        "",
        expect![[r#"
            config.toml:1:2: provider: give one of key_env and key_command, not both
        "#]],
    );
}

#[test]
fn the_environment_fills_in_what_is_absent() {
    check_setup(
        "",
        &[],
        expect![[r#"
        missing: no key for the model: set ANTHROPIC_API_KEY in the environment that the editor is started from, or say in config.toml where the key is, with provider.key_env or provider.key_command
    "#]],
    );
    check_setup(
        "",
        &["ANTHROPIC_API_KEY=sk-canary"],
        expect![[r#"
        Anthropic at https://api.anthropic.com, the key in ANTHROPIC_API_KEY, XApiKey
    "#]],
    );
    check_setup(
        "",
        &["ANTHROPIC_API_KEY= ", "ANTHROPIC_AUTH_TOKEN=sk-canary"],
        expect![[r#"
        Anthropic at https://api.anthropic.com, the key in ANTHROPIC_AUTH_TOKEN, Bearer
    "#]],
    );
    check_setup(
        "",
        &[
            "ANTHROPIC_API_KEY=sk-canary",
            "ANTHROPIC_BASE_URL=https://gateway.example/v1/",
        ],
        expect![[r#"
            Anthropic at https://gateway.example/v1, the key in ANTHROPIC_API_KEY, XApiKey
        "#]],
    );
    check_setup(
        "",
        &["ANTHROPIC_BASE_URL=http://example.com"],
        expect![[r#"
        missing: ANTHROPIC_BASE_URL must begin with https://, because code and key would travel unencrypted; provider.allow_cleartext = true in config.toml allows it
    "#]],
    );
    check_setup(
        "",
        &["ANTHROPIC_BASE_URL=example"],
        expect![[r#"
        missing: ANTHROPIC_BASE_URL must be an address, such as "https://api.anthropic.com"
    "#]],
    );
    check_setup(
        "",
        &["ANTHROPIC_BASE_URL=http://127.0.0.1:8080"],
        expect![[r#"
        Anthropic at http://127.0.0.1:8080, no key, XApiKey
    "#]],
    );
    check_setup(
        "[provider]\nkey_env = \"WORK_KEY\"",
        &["ANTHROPIC_API_KEY=sk-canary"],
        expect![[r#"
        missing: config.toml says that the key is in WORK_KEY, which is not set in the environment that the editor was started from; set it there, or use provider.key_command
    "#]],
    );
    check_setup(
        "[provider]\nkey_command = [\"/usr/bin/pass\", \"show\", \"key\"]",
        &[],
        expect![[r#"
        Anthropic at https://api.anthropic.com, the key that /usr/bin/pass prints, XApiKey
    "#]],
    );
}

#[test]
fn a_key_of_the_file_goes_only_where_the_file_says() {
    let elsewhere = "ANTHROPIC_BASE_URL=https://elsewhere.example";
    check_setup(
        "[provider]\nkey_env = \"WORK_KEY\"",
        &["WORK_KEY=sk-canary", elsewhere],
        expect![[r#"
        environment: ANTHROPIC_BASE_URL: ignored, because a key that config.toml names goes only where config.toml says; set provider.base_url there
        Anthropic at https://api.anthropic.com, the key in WORK_KEY, XApiKey
    "#]],
    );
    check_setup(
        "[provider]\nbase_url = \"https://gateway.example\"",
        &["ANTHROPIC_API_KEY=sk-canary", elsewhere],
        expect![[r#"
            Anthropic at https://gateway.example, the key in ANTHROPIC_API_KEY, XApiKey
        "#]],
    );
}

#[test]
fn the_environment_names_other_providers() {
    check_setup(
        "",
        &["OPENAI_API_KEY=sk-canary"],
        expect![[r#"
        OpenAi at https://api.openai.com/v1, the key in OPENAI_API_KEY, Bearer, gpt-6.1-terra
    "#]],
    );
    check_setup(
        "",
        &["OPENAI_API_KEY=sk-canary", "ANTHROPIC_API_KEY=sk-canary"],
        expect![[r#"
            Anthropic at https://api.anthropic.com, the key in ANTHROPIC_API_KEY, XApiKey
        "#]],
    );
    check_setup(
        "",
        &["OLLAMA_HOST=127.0.0.1"],
        expect![[r#"
        missing: no model is named for http://127.0.0.1:11434: write models.default = "…" in config.toml, with the name that the server gives the model; it must be one that can call tools
    "#]],
    );
}

#[test]
fn the_host_of_ollama_is_read_as_ollama_reads_it() {
    let mut shown = String::new();
    for host in [
        "127.0.0.1:11434",
        "0.0.0.0",
        ":9000",
        "http://localhost:8080/ollama/",
        "[::]:1234",
        "https://ollama.example",
        "big-machine",
        "what ever",
    ] {
        let machine = "[provider]\nkind = \"ollama\"\n[models]\ndefault = \"qwen3-coder:30b\"";
        let variable = format!("OLLAMA_HOST={host}");
        let of = |machine: &str| match resolve(machine, "", None, &[&variable]).0.provider {
            ProviderSetup::Ready(endpoint) => endpoint.base_url,
            ProviderSetup::Missing { what_to_do } => what_to_do,
        };
        let _ = writeln!(shown, "{host}: {}", of(machine));
        let found = of("[models]\ndefault = \"m\"");
        if found != of(machine) {
            let _ = writeln!(shown, "  without the kind: {found}");
        }
    }
    expect![[r#"
        127.0.0.1:11434: http://127.0.0.1:11434
        0.0.0.0: http://127.0.0.1:11434
        :9000: http://127.0.0.1:9000
        http://localhost:8080/ollama/: http://localhost:8080/ollama
        [::]:1234: http://[::1]:1234
        https://ollama.example: https://ollama.example
          without the kind: OLLAMA_HOST names another machine; write provider.kind = "ollama" in config.toml if code may go there
        big-machine: OLLAMA_HOST must begin with https://, because code and key would travel unencrypted; provider.allow_cleartext = true in config.toml allows it
          without the kind: OLLAMA_HOST names another machine; write provider.kind = "ollama" in config.toml if code may go there
        what ever: OLLAMA_HOST must be a host, such as "127.0.0.1:11434"
    "#]].assert_eq(&shown);
}

#[test]
fn the_file_names_other_providers() {
    let openai = "[provider]\nkind = \"openai\"\n";
    check_setup(
        openai,
        &["ANTHROPIC_API_KEY=sk-canary"],
        expect![[r#"
        missing: no key for the model: set OPENAI_API_KEY in the environment that the editor is started from, or say in config.toml where the key is, with provider.key_env or provider.key_command
    "#]],
    );
    check_setup(
        &format!(
            "{openai}base_url = \"https://openrouter.ai/api/v1\"\nkey_env = \"OPENROUTER_API_KEY\"\n[models]\ndefault = \"m\""
        ),
        &[
            "OPENROUTER_API_KEY=sk-canary",
            "OPENAI_BASE_URL=https://elsewhere.example",
        ],
        expect![[r#"
            OpenAi at https://openrouter.ai/api/v1, the key in OPENROUTER_API_KEY, Bearer, m
        "#]],
    );
    check_setup(
        &format!(
            "{openai}base_url = \"http://127.0.0.1:8080\"\nfree = true\n[models]\ndefault = \"m\""
        ),
        &[],
        expect![[r#"
            OpenAi at http://127.0.0.1:8080, no key, Bearer, free, m
        "#]],
    );
    check_setup(
        &format!("{openai}base_url = \"https://vllm.example/v1\"\n[models]\ndefault = \"m\""),
        &[],
        expect![[r#"
            OpenAi at https://vllm.example/v1, no key, Bearer, m
        "#]],
    );
    check_setup(
        &format!("{openai}base_url = \"https://vllm.example/v1\""),
        &[],
        expect![[r#"
            missing: no model is named for https://vllm.example/v1: write models.default = "…" in config.toml, with the name that the server gives the model; it must be one that can call tools
        "#]],
    );
    check_setup(
        &format!("{openai}key_env = \"WORK_KEY\""),
        &[
            "WORK_KEY=sk-canary",
            "OPENAI_BASE_URL=https://elsewhere.example",
        ],
        expect![[r#"
            environment: OPENAI_BASE_URL: ignored, because a key that config.toml names goes only where config.toml says; set provider.base_url there
            OpenAi at https://api.openai.com/v1, the key in WORK_KEY, Bearer, gpt-6.1-terra
        "#]],
    );
    check_setup(
        "[provider]\nkind = \"ollama\"\nfree = false\n[models]\ndefault = \"gpt-oss:120b-cloud\"",
        &[],
        expect![[r#"
            Ollama at http://127.0.0.1:11434, no key, Bearer, gpt-oss:120b-cloud
        "#]],
    );
}

#[test]
fn an_address_is_encrypted_or_this_machine() {
    let of = |address: &str, machine: &str| {
        let variable = format!("ANTHROPIC_BASE_URL={address}");
        let (config, _) = resolve(
            machine,
            "",
            None,
            &["ANTHROPIC_API_KEY=sk-canary", &variable],
        );
        matches!(config.provider, ProviderSetup::Ready(_))
    };
    for address in [
        "https://example.com",
        "http://localhost:1",
        "http://[::1]:1",
        "http://127.1.2.3",
    ] {
        assert!(of(address, ""), "{address}");
    }
    for address in [
        "http://example.com",
        "http://127.0.0.1@example.com/",
        "http://localhost.example.com",
        "https://user:password@example.com",
        "ftp://localhost",
        "file:///etc/passwd",
        "not an address",
    ] {
        assert!(!of(address, ""), "{address}");
    }
    assert!(of(
        "http://example.com",
        "[provider]\nallow_cleartext = true"
    ));
}

#[test]
fn nothing_printed_holds_a_key() {
    let (config, _) = resolve("", "", None, &["ANTHROPIC_API_KEY=sk-canary"]);
    assert!(!format!("{config:?}").contains("sk-canary"));
}
