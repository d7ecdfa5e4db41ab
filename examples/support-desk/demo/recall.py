#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What customers write about a product recall: an intent that the desk's model has never seen.

    recall.py [--seed N] [--part first|second] [--count N]     prints one ticket (JSON) a line

The texts are split in two halves by the seed: `first` is what people answer (their corrections are
what the model learns from), `second` is sent after the learning. No text is in both halves, and
none is in datasets/.
"""

import argparse
import json
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tickets  # noqa: E402

INTENT = "product_recall"

TEXTS = [
    "I read in the newspaper that the kettle you sold me is being recalled. What should I do with it?",
    "Is the hand blender from order {order} part of the safety recall?",
    "You wrote to me about a recall of my heater. How do I hand it in?",
    "There is a recall notice for the baby chair I bought from you. Is mine affected?",
    "The batch number on my charger is on the recall list. Please tell me what happens next.",
    "I heard on the radio that the lamps of this series can catch fire and are called back.",
    "Which serial numbers are covered by the recall of the power bank?",
    "My toaster is one of the recalled models, the serial number is 4471-B. Where do I send it?",
    "got your mail about the recall, do i unplug the thing right now?",
    "The manufacturer has issued a safety warning for the blanket in {order}. Do you take it back?",
    "Is it still safe to use the hairdryer I ordered? The news says it is recalled.",
    "We bought the recalled car seat from you in spring. Our child uses it every day. Please advise.",
    "Your recall letter says to stop using the product. Will I get a replacement for it?",
    "Do I have to register for the recall programme, and where?",
    "I saw the product recall on your home page. My lot number is L2203, am I concerned?",
    "Recall of the pressure cooker: how do I find out the production date?",
    "The consumer authority warns of the toy I ordered, {order}. Are you recalling it?",
    "Please confirm whether article 8841 falls under the recall of last week.",
    "hi, is my bike helmet recalled? it looks exactly like the one in the warning",
    "I want to take part in the recall of the e-scooter. Send me the instructions, please.",
    "A friend told me the battery of this vacuum cleaner overheats and that there's a recall.",
    "How will the recalled iron be collected? I don't want to carry it to the post office.",
    "You recalled the candle holders. Mine are already thrown away, what now?",
    "Regarding the safety recall: I no longer have the box, is the serial number enough?",
    "The app says my thermostat is subject to a recall because of a risk of electric shock.",
    "Does the recall also cover the smaller version of the fan heater?",
    "I gave the recalled necklace to my sister as a present. Can she hand it in instead of me?",
    "What is wrong with the recalled drill, exactly? Your notice does not say.",
    "Your recall hotline is always engaged. I have the recalled stroller, order {order}.",
    "Is there a deadline for sending back recalled items?",
    "My son's night light is on the list of dangerous products. Please tell me how the recall works.",
    "The recalled extension lead got hot yesterday. I am worried, whom should I talk to?",
    "I've cut the cable as the recall notice asks. Where do I upload the photo?",
    "Please check {order}: does it contain an item of the recalled batch?",
    "Do you also recall products that were bought two years ago?",
    "Recall notice received, but the product named in it I never bought. Is that a mistake?",
    "How long does it take until I receive the repaired part for the recalled pram?",
    "I filled in the recall form three weeks ago and nobody has answered.",
    "the recall page asks for a batch code and i can't find it anywhere on the kettle",
    "Should I keep the recalled smoke detector on the ceiling until the new one is here?",
    "I understand that the mixer has been withdrawn from the market. I own one. What are my options?",
    "Is the recall voluntary or do I have to give the product back?",
    "Hello, the model number of my space heater matches the one in the public warning.",
    "According to the safety notice the glass of the coffee maker may burst. Mine is from {order}.",
    "What compensation is there for people with a recalled mattress?",
    "I need the prepaid label for the recalled air fryer.",
    "Can I bring the recalled product to one of your shops?",
    "Our kindergarten has twelve of the recalled high chairs. How do we proceed?",
    "The recall says choking hazard. Is the teddy from {order} concerned as well?",
    "Good that you warn people, but which colour of the bottle is recalled?",
    "I have two recalled chargers, one bought from you and one elsewhere. May I send in both?",
    "After the recall announcement I stopped using the electric blanket. When will you replace it?",
    "Is it true that the rice cooker contains a faulty switch and is being called back?",
    "I would like to know if the lawn mower in my garage is in the recall, type LM-40.",
    "Please add me to the list for the recall of the garden torch.",
    "The recall e-mail looks like fraud. Did you really send it?",
    "My recalled scooter has already been repaired once. Must it come in again?",
    "Nobody informed me of the recall, I found out by chance. Order {order} from January.",
    "Where is the sticker with the batch on the recalled headphones?",
    "Does the recall apply to customers abroad too? We took the heater to Spain.",
    "I threw the packaging away. Can the recalled monitor be sent in without it?",
    "Safety warning for the water bottle: small parts may come off. What shall we do with ours?",
    "Could you look up whether any of my purchases has been recalled?",
    "The new part for the recalled washing machine does not fit.",
    "Hazard notice about the ladder: is mine, bought in {order}, from the affected production run?",
    "My neighbour's device of the same kind melted, now I see there's a recall. Please help.",
    "The recall text mentions firmware 2.1. Mine shows 2.3, is it safe?",
    "How do I dispose of the recalled battery? The waste site will not take it.",
    "Is the recalled cream harmful? I have used it for a month.",
    "The food container was called back because of a chemical in the plastic. Is mine one of these?",
    "Who pays the postage for sending the recalled speaker in?",
    "Is the children's bed from {order} safe, or is it among the ones you recall?",
    "I'm writing on account of the recall campaign for the baby monitor, serial 99-1203.",
    "You recall the red version only? The blue one has the very same plug.",
    "Is an inspection offered for recalled gas cookers at home?",
    "I own the coffee machine that was in the recall news last night.",
    "On your site the recall check says 'unknown serial number'. It is 55-AX-310.",
    "Following the safety alert I would like to exchange the faulty power adapter of this batch.",
    "We are a hotel and use forty of the recalled hair dryers. Who is our contact?",
    "What does 'stop use immediately' in your recall mean for a fridge full of food?",
    "The recall number on the card you sent me, RC-118, isn't accepted on the web page.",
    "Has the investigation of the burning hoverboards led to a recall yet? I have one from {order}.",
    "My mother got the recall letter though she passed on the product. Who must reply?",
    "Please take my grill off the recall register, it is another model after all.",
    "The replacement you sent for the recalled kettle carries the same batch number.",
    "Product safety: the hinge of the folding bed can trap fingers, says the warning. Which lots?",
    "I wish to report an injury by the recalled blender and to hand it over for examination.",
    "Is there a list of all products that you have recalled this year?",
]


def half(seed, part):
    """The texts of one half, `first` or `second`, in the seed's order."""
    order = random.Random(f"recall-{seed}").sample(TEXTS, len(TEXTS))
    middle = len(order) // 2
    return order[:middle] if part == "first" else order[middle:]


def make(seed, part, count, orders=(0, tickets.FIRST_ORDERS)):
    """-> tickets as tickets.make gives them, of kind "recall"; at most one a text of the half.

    orders: the rows of the help desk's orders that they may be about, first and last.
    """
    rng = random.Random(f"recall-{seed}-{part}")
    supply = tickets.Supply(rng, *orders)
    names = {"first": ("recall", "R"), "second": ("recall-after", "S")}[part]
    return [tickets.ticket_of(supply, "recall", (INTENT, text), number, names)
            for number, text in enumerate(half(seed, part)[:count], 1)]


def main():
    parser = argparse.ArgumentParser(description="Makes tickets about a product recall.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", choices=("first", "second"), default="first")
    parser.add_argument("--count", type=int, default=len(TEXTS) // 2)
    options = parser.parse_args()
    for ticket in make(options.seed, options.part, options.count):
        print(json.dumps(ticket, ensure_ascii=False))


if __name__ == "__main__":
    main()
