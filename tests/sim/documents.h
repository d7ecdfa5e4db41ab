// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/sim/documents: what the simulated runs do.

namespace aios::sim {

// One ticket: look up, decide, act by one of three classes, in branches, in a run of its own, in a
// loop or once an answer has come, tell the customer.
inline constexpr const char* ticket = R"(
document: {dsl: '1.0.3', namespace: sim, name: ticket, version: '1.0.0'}
input:
  schema: {format: json, document: {type: object, required: [path, value]}}
do:
  - remember:
      set: {path: '${ .path }', value: '${ .value }', pause: '${ .pause }'}
      export: {as: .}
  - find:
      try:
        - look: {call: 'system:1.0.0@default', with: {class: read, value: '${ .value }'}}
      catch: {do: [{nothing: {set: {value: 0}}}]}
  - rest: {if: '${ $context.pause > 0 }', wait: '${ "PT\($context.pause)S" }'}
  - choose:
      switch:
        - pay: {when: '${ $context.path == "key" }', then: refund}
        - open: {when: '${ $context.path == "lookup" }', then: case}
        - split: {when: '${ $context.path == "fork" }', then: both}
        - hand: {when: '${ $context.path == "child" }', then: other}
        - turns: {when: '${ $context.path == "for" }', then: each}
        - hear: {when: '${ $context.path == "listen" }', then: reply}
        - else: {then: notice}
  - refund:
      call: system:1.0.0@default
      with: {class: key, value: '${ $context.value }'}
      then: finish
  - case:
      try:
        - open:
            timeout: {after: PT4S}
            call: system:1.0.0@default
            with: {class: lookup, value: '${ $context.value }'}
      catch:
        retry: {delay: PT2S, backoff: {exponential: {}}, limit: {attempt: {count: 8}}}
      then: finish
  - both:
      fork:
        branches:
          - pay: {call: 'system:1.0.0@default', with: {class: key, value: '${ $context.value }'}}
          - open:
              call: system:1.0.0@default
              with: {class: lookup, value: '${ $context.value }'}
          - rest: {wait: PT3S}
      output: {as: '.[0]'}
      then: finish
  - other:
      run: {workflow: {namespace: sim, name: payment, version: latest, input: '${ $context }'}}
      then: finish
  - each:
      for: {each: turn, in: '${ [1, 2, 3] }'}
      do:
        - rest: {if: '${ $turn == 2 }', wait: PT1S}
        - pay: {call: 'system:1.0.0@default', with: {class: key, value: '${ $context.value }'}}
      then: finish
  - reply:
      listen: {to: {one: {with: {type: sim.reply, subject: '${ $context.value | tostring }'}}}}
  - answered:
      call: system:1.0.0@default
      with: {class: key, value: '${ $context.value }'}
      then: finish
  - notice:
      try:
        - tell:
            call: system:1.0.0@default
            with: {class: none, value: '${ $context.value }'}
      catch:
        errors: {with: {status: 500}}
        retry: {delay: PT1S, limit: {attempt: {count: 40}}}
  - finish: {set: {effect: '${ .effect }', value: '${ .value }', path: '${ $context.path }'}}
)";

inline constexpr const char* payment = R"(
document: {dsl: '1.0.3', namespace: sim, name: payment, version: '1.0.0'}
do:
  - rest: {wait: PT1S}
  - pay: {call: 'system:1.0.0@default', with: {class: key, value: '${ .value }'}}
)";

}  // namespace aios::sim
