// SPDX-License-Identifier: Apache-2.0
//! Where the statements of a test rule stand in its text, so that one that does not hold can be named. Offsets are
//! bytes of the module.

use regorus::unstable::{Expr, Literal, LiteralStmt, Rule, Span};
use serde_json::{json, Value};

/// Of a rule with one body; null of any other: which of several bodies was meant to hold is not known.
pub fn of(rule: &Rule) -> Value {
    match rule {
        Rule::Spec { bodies, .. } if bodies.len() == 1 => {
            Value::Array(bodies[0].query.stmts.iter().map(statement).collect())
        }
        _ => Value::Null,
    }
}

fn place(span: &Span) -> Value {
    json!([span.start, span.end])
}

fn statement(stmt: &LiteralStmt) -> Value {
    let (kind, parts) = match &stmt.literal {
        Literal::Expr { expr, .. } => match expr.as_ref() {
            Expr::BoolExpr { lhs, rhs, .. } => ("compare", vec![place(lhs.span()), place(rhs.span())]),
            Expr::AssignExpr { .. } => ("assign", vec![]),
            _ => ("value", vec![place(expr.span())]),
        },
        Literal::NotExpr { expr, .. } => ("not", vec![place(expr.span())]),
        _ => ("other", vec![]),
    };
    let with = stmt.with_mods.first().map_or(stmt.span.end, |first| first.span.start);
    json!({"kind": kind, "line": stmt.span.line, "column": stmt.span.col, "place": place(&stmt.span), "with": with,
           "parts": parts})
}
