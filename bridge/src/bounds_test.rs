// SPDX-License-Identifier: Apache-2.0
//! What would take a core or all memory in one call is refused, by name, on both engines; what policies do is not.

use crate::rego::{compile, Request};
use crate::Failure;

fn evaluated(body: &str) -> Result<String, String> {
    let text = format!("package p\nimport rego.v1\n{body}\n");
    let request =
        Request { modules: vec![("p.rego", &text)], data: "", entry_points: vec!["data.p.x"], instructions_max: 100_000 };
    let message = |failure| match failure {
        Failure::Refused(refusals) => refusals[0]["message"].as_str().unwrap_or("").to_string(),
        Failure::Undefined => "undefined".to_string(),
    };
    let (rego, _) = compile(&request).map_err(message)?;
    let bytes = rego.evaluate("data.p.x", "{\"n\": 1}").map_err(message)?;
    Ok(String::from_utf8_lossy(&bytes).to_string())
}

/// The machine does not know `with`, so what uses it runs on the interpreter.
fn interpreted(call: &str) -> String {
    format!("w if input.n == 2 with input as {{\"n\": 2}}\nx := v if {{\n\tw\n\tv := {call}\n}}")
}

/// The same rule.
fn refused(name: &str, call: &str) {
    let ways = [format!("x := {call}"), interpreted(call)];
    for body in ways {
        fails(&body, &format!("built-in {name} is refused"));
    }
}

fn fails(body: &str, reason: &str) {
    let why = evaluated(body).expect_err(body);
    assert!(why.contains(reason), "{body}: {why}");
}

/// The rules s0 to s<steps>, each of the one before, which stands in `step` as "_".
fn chain(steps: usize, first: &str, step: &str) -> String {
    let links = (1..=steps).map(|n| format!("s{n} := {}\n", step.replace('_', &format!("s{}", n - 1))));
    format!("s0 := {first}\n{}", links.collect::<String>())
}

#[test]
fn every_builtin_has_a_slot() {
    for name in regorus::unstable::BUILTINS.keys() {
        assert!(crate::bounds::guard_of(name).is_some(), "{name}");
    }
}

#[test]
fn what_makes_much_of_little_is_refused() {
    refused("numbers.range", "count(numbers.range(1, 1000000000000))");
    refused("numbers.range", "count(numbers.range(input.n, 1e9))");
    refused("numbers.range_step", "count(numbers.range_step(1, 1000000000, 2))");
    refused("sprintf", "sprintf(\"%1000000000d\", [1])");
    refused("sprintf", "sprintf(\"%99999999999999999999d\", [1])");
    refused("sprintf", "sprintf(\"%.1000000000f\", [1.5])");
    refused("net.cidr_expand", "net.cidr_expand(\"10.0.0.0/8\")");
    refused("net.cidr_expand", "net.cidr_expand(\"2001:db8::/32\")");
    refused("bits.lsh", "bits.lsh(1, 4000000000)");
    refused("product", "product(numbers.range(1, 60000))");
}

#[test]
fn what_grows_by_steps_is_refused() {
    // A hundred bytes, doubled thirty times over: no single call looks large.
    let text = format!("\"{}\"", "a".repeat(100));
    fails(&format!("{}x := count(s30)", chain(30, &text, "concat(\"\", [_, _])")), "built-in concat is refused");
    let list = chain(30, "[1, 2, 3]", "array.concat(_, _)");
    fails(&format!("{list}x := count(s30)"), "built-in array.concat is refused");
}

#[test]
fn a_value_that_shares_its_parts_is_not_walked_as_a_tree() {
    let nested = chain(40, "1", "[_, _]");
    fails(&format!("{nested}x := s40"), "the result cannot be written");
    fails(&format!("{nested}x := sprintf(\"%v\", [s40])"), "built-in sprintf is refused");
}

#[test]
fn a_chain_of_squares_ends() {
    let squares = chain(60, "123456789012345678901234567890", "_ * _");
    fails(&format!("{squares}x := s60 > 0"), "time limit");
    fails(&format!("{squares}x := s12"), "bits in a number");
}

#[test]
fn paths_through_a_dense_graph_are_refused() {
    let graph = "g := {sprintf(\"%d\", [n]): [sprintf(\"%d\", [m]) | some m in numbers.range(1, 14)] | some n in numbers.range(1, 14)}";
    fails(
        &format!("{graph}\nx := count(graph.reachable_paths(g, [\"1\"]))"),
        "built-in graph.reachable_paths is refused",
    );
}

#[test]
fn what_policies_do_is_taken() {
    for (call, want) in [
        ("count(numbers.range(1, 60000))", "60000"),
        ("sprintf(\"%5d|%05d|%.2f|%s\", [1, 2, 1.5, \"a\"])", "\"    1|00002|1.50|a\""),
        ("sprintf(\"100%% of %v\", [{\"a\": 1}])", "\"100% of {\\\"a\\\": 1}\""),
        ("count(net.cidr_expand(\"10.0.0.0/24\"))", "256"),
        ("replace(\"a-b-c\", \"-\", \"+\")", "\"a+b+c\""),
        ("regex.replace(\"a1b2\", \"[0-9]\", \"#\")", "\"a#b#\""),
        ("bits.lsh(1, 10)", "1024"),
        ("product([2, 3, 4])", "24"),
        ("object.subset({\"a\": 1, \"b\": 2}, {\"a\": 1})", "true"),
        ("count(graph.reachable_paths({\"a\": [\"b\", \"c\"], \"b\": [], \"c\": []}, [\"a\"]))", "2"),
        ("to_number(\"12.5\")", "12.5"),
    ] {
        for body in [format!("x := {call}"), interpreted(call)] {
            assert_eq!(evaluated(&body).as_deref(), Ok(want), "{body}");
        }
    }
}
