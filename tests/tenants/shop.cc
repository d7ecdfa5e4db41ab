// SPDX-License-Identifier: Apache-2.0
#include "shop.h"

#include <fmt/format.h>

namespace aios::tenants {
namespace {

constexpr const char* manifest = R"y(name: shop
version: 1.0.0
summary: Takes orders, pays, asks a person about the large ones.
parameters:
  limit: {type: integer, default: 50, description: Above it a person is asked.}
  desk_url: {type: string, default: 'http://desk.example', description: Where the desk answers.}
needs:
  connectors: [desk]
  secrets: [desk-token, shop-hook, shop-key]
)y";

constexpr const char* order = R"y(document:
  dsl: '1.0.3'
  namespace: shop
  name: order
  version: '1.0.0'
  metadata:
    aios:
      searchAttributes:
        order: '${ $context.order }'
        amount: {type: number, value: '${ $context.amount }'}
schedule: {on: {one: {with: {type: shop.order}}}}
input:
  schema:
    format: json
    document:
      type: array
      items:
        type: object
        required: [data]
        properties: {data: {type: object, required: [order, amount]}}
  from: '${ .[0].data }'
do:
  - read:
      set: {order: '${ .order }', amount: '${ .amount }'}
      export: {as: '${ . }'}
  - pay:
      call: connector:1.0.0@default
      with:
        connector: desk
        operation: pay
        arguments: {order: '${ $context.order }', amount: '${ $context.amount }'}
      export: {as: '${ $context + {paid: .id} }'}
  - ask:
      if: '${ $context.amount > 50 }'
      call: review:1.0.0@default
      with:
        title: '${ "Order " + $context.order }'
        form: verdict
        evidence: {text: '${ "order " + $context.order + " of \($context.amount)"
}'}
        suggestion: {label: good}
        assignees: [reviewer]
        due: PT41.137S
        dataset: verdicts
      export: {as: '${ $context + {verdict: .answer.label} }'}
  - notify:
      if: '${ $context.amount > 80 }'
      call: connector:1.0.0@default
      with: {connector: desk, operation: notify, arguments: {order: '${ $context.order }'}}
  - tell:
      emit:
        event: {with: {type: shop.paid, source: /shop/orders, data: {order: '${ $context.order }'}}}
  - rest: {wait: PT7.443S}
  - finish: {set: {order: '${ $context.order }', verdict: '${ $context.verdict }'}}
)y";

constexpr const char* paid =
    R"y(document: {dsl: '1.0.3', namespace: shop, name: paid, version: '1.0.0'}
schedule: {on: {one: {with: {type: shop.paid}}}}
input: {from: '${ .[0].data }'}
do:
  - note: {set: {order: '${ .order }'}, export: {as: '${ . }'}}
  - hear:
      listen: {to: {one: {with: {type: shop.note, data: '${ .order == $context.order }'}}}}
      timeout: {after: PT33.219S}
  - finish: {set: {heard: '${ . }'}}
)y";

constexpr const char* sums =
    R"y(document: {dsl: '1.0.3', namespace: shop, name: sums, version: '1.0.0'}
do:
  - add: {set: {total: '${ [.items[]?.cents] | add }'}}
  - rest: {wait: PT2.777S}
  - fail:
      if: '${ .total == 13 }'
      raise: {error: {type: 'https://shop.example/unlucky', status: 500, title: unlucky}}
)y";

constexpr const char* desk = R"y(name: desk
kind: http
region: eu
baseUrl: "${params.desk_url}"
auth: {bearer: {secret: desk-token}}
limits: {timeout: PT2S, retries: 4, breaker: {failures: 3, openFor: PT1S}}
operations:
  pay:
    method: POST
    path: /payments
    effect: key
    keyHeader: Idempotency-Key
    arguments:
      type: object
      required: [order, amount]
      properties: {order: {type: string}, amount: {type: number}}
    body: '{order, amount}'
    result: '.body | {id}'
    resultSchema: {type: object, required: [id]}
    remember: '{id}'
  notify:
    method: POST
    path: /notices
    effect: none
    arguments:
      type: object
      required: [order]
      properties: {order: {type: string}}
    body: '{order}'
    result: '.body | {id}'
    resultSchema: {type: object, required: [id]}
)y";

constexpr const char* policies = R"y(package aios.connector_egress
import rego.v1
default allow := true
)y";
constexpr const char* reviews = R"y(package aios.review_assign
import rego.v1
default allow := true
obligations contains {"type": "approve", "assignees": ["approver"]} if {
	input.review.phase == "answer"
	input.review.answer.label == "bad"
}
)y";
constexpr const char* models = R"y(package aios.pre_model_call
import rego.v1
default allow := true
)y";
constexpr const char* promotion = R"y(package aios.model_promote
import rego.v1
default allow := true
)y";
constexpr const char* events = R"y(package aios.event_admit
import rego.v1
default allow := true
deny contains "this type is not taken" if input.event.type == "shop.forbidden"
)y";

constexpr const char* hook = R"y(kind: webhook
name: hook
secrets: [shop-hook]
event: {type: shop.order, source: /hook, data: '${ .body }'}
schema: {type: object, required: [order, amount]}
)y";

constexpr const char* subscription = R"y(name: shop
region: eu
secret: shop-key
url: "http://partner.example/events"
types: ["shop.*"]
callbacks: "http://partner.example/callbacks/"
retry: {first: PT1S, most: PT4S, giveUpAfter: PT20S}
)y";

constexpr const char* form = R"y({"type": "object", "required": ["label"], "x-label": "label",
 "properties": {"label": {"enum": ["good", "bad"]}}})y";

constexpr const char* model = R"y(name: intent
engine: text_linear
dataset: datasets/lines.csv
owner: shop@example.com
intendedUse: Tells what a line is about.
failureModes: [Few lines.]
seed: 7
gates: {accuracy_min: 0}
)y";

constexpr const char* lines = R"y(text,label
where is my parcel,delivery
my parcel is late again,delivery
the delivery never came,delivery
when does the parcel come,delivery
give me my money back,refund
i want a refund of the order,refund
please refund the money,refund
money back for the broken thing,refund
i forgot my password,password
the password does not work,password
reset the password please,password
cannot log in with my password,password
)y";

}  // namespace

std::map<std::string, std::string> shop_files(std::uint64_t edition) {
  return {{"aios.yaml", fmt::format("{}# edition {}\n", manifest, edition)},
          {"workflows/order.yaml", order},
          {"workflows/paid.yaml", paid},
          {"workflows/sums.yaml", sums},
          {"connectors/desk/connector.yaml", desk},
          {"policies/egress.rego", policies},
          {"policies/reviews.rego", reviews},
          {"policies/models.rego", models},
          {"policies/promotion.rego", promotion},
          {"policies/events.rego", events},
          {"sources/hook.yaml", hook},
          {"subscriptions/shop.yaml", subscription},
          {"forms/verdict.json", form},
          {"models/intent.yaml", model},
          {"datasets/lines.csv", lines}};
}

std::string hook_key(const std::string& tenant) {
  std::string key = tenant + ": twenty-four bytes of a key";
  key.resize(24, '.');
  return key;
}

}  // namespace aios::tenants
