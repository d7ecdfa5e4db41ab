// SPDX-License-Identifier: Apache-2.0
// Lists of words, written for this file. A word that is common outside names ("Mark", "Grace") or
// is better known as a place or a product ("Jordan", "Mercedes") is no given name here.
#include "govern/detail/name_lists.h"

#include "core/text.h"
#include "govern/detail/word_list.h"

#include <string>

namespace aios::govern::detail {
namespace {

// Given names that many bear in Europe, the Americas and beyond.
constexpr const auto& given_names = words<
    "Aaron Abdul Abdullah Abigail Adam Adrian Agata Agnes Agnieszka Ahmad Ahmed Aisha Akira Alan "
    "Albert Alejandro Aleksander Aleksandra Alessandro Alex Alexander Alexandra Alexandre Alexis "
    "Alfred Alice Alicia Alina Alison Allan Allison Amanda Amelia Amina Amir Amy Ana Anastasia "
    "Anders Andrea Andreas Andrej Andrew Andrzej Andy Angela Angelika Anil Anita Anja Anke Ann "
    "Anna Anne Anneliese Annette Annika Anthony Antje Antoine Anton Antonio Arjun Armin Arne "
    "Arnold Arthur Arturo Astrid Axel Ayesha Ayşe Barbara Beata Beate Beatriz Ben Benedikt "
    "Benjamin Bernard Bernd Bernhard Bernice Beth Bettina Birgit Birgitta Björn Bob Bogdan "
    "Brenda Brian Bruno Bryan Camilla Carina Carl Carla Carlos Carol Carole Caroline Catarina "
    "Catherine Cathy Cecilia Cedric Chantal Charles Chen Chiara Chloe Chris Christa Christel "
    "Christian Christina Christine Christoph Christophe Christopher Cindy Claire Clara Claude "
    "Claudia Colin Connor Corinna Cristina Cynthia Dagmar Daniel Daniela Danielle Dariusz Dave "
    "David Deborah Debra Deepak Denise Dennis Derek Diana Diane Diego Dieter Dimitri Dirk Dmitri "
    "Dominik Dominique Donald Donna Doris Dorota Dorothea Dorothy Douglas Duncan Ebba Eberhard "
    "Edgar Edith Eduardo Edward Edwin Ekaterina Eleanor Elena Eleni Elin Elisabeth Elizabeth "
    "Elke Ellen Elsa Emanuel Emil Emily Emma Emmanuel Enrico Eric Erica Erich Erik Erika Ernst "
    "Esther Ethan Eugenia Eva Evelyn Ewa Ewelina Fabian Fatima Fatma Federico Felicity Felix "
    "Ferdinand Fernanda Fernando Filip Fiona Florian Francesca Francesco Francis Francisco Frank "
    "Françoise Frederik Fredrik Frieda Friedrich Fritz Gabriel Gabriela Gabriele Gail Gareth "
    "Gary Geoffrey Georg George Gerald Gerard Gerd Gerhard Gertrud Gilbert Giovanni Gisela "
    "Giulia Giuseppe Gordon Graham Greg Gregor Gregory Greta Grzegorz Gudrun Guillaume Guillermo "
    "Gunilla Gustav Göran Günter Günther Halina Hamza Hanna Hannah Hannes Hans Harald Harold "
    "Harry Hasan Hassan Hector Heidi Heike Heiko Heiner Heinrich Heinz Helen Helena Helene Helga "
    "Helmut Henning Henri Henrik Henrike Henry Herbert Hermann Hilde Hildegard Hiroshi Holger "
    "Horst Howard Hubert Hussein Håkan Ian Ibrahim Ida Ignacio Igor Ilona Ilse Imran Ines Inga "
    "Inge Ingeborg Ingo Ingrid Irena Irene Irina Isabel Isabella Isabelle Ivan Jaap Jacek Jacob "
    "Jacqueline Jacques Jadwiga Jakob James Jamie Jan Jana Jane Janet Janina Janine Jason Javier "
    "Jean Jeanette Jeff Jeffrey Jennifer Jenny Jens Jeremy Jerome Jesper Jessica Jesús Jill Jim "
    "Jimmy Joachim Joan Joanna Joanne Jochen Joe Joel Joerg Johan Johann Johanna Johannes John "
    "Jonas Jonathan Jorge Josef Josefine Joseph Joshua José Juan Judith Judy Julia Julian "
    "Juliane Julie Julien Justin Jutta Jörg Jørgen Jürgen Kai Karen Karin Karina Karl Karol "
    "Karolina Karsten Kasia Kasper Katarina Katarzyna Kate Katharina Katherine Kathleen Kathrin "
    "Kathryn Kathy Katja Katrin Keith Kelly Ken Kenji Kenneth Kerstin Kevin Khalid Kim Kirsten "
    "Klaus Konrad Konstantin Kristin Kristina Krystyna Krzysztof Kumar Kurt Larry Lars Lasse "
    "Laura Lauren Laurent Lea Leah Leila Lena Lennart Leo Leon Leonard Leonie Leonor Leszek "
    "Lewis Liam Lieselotte Lina Linda Linnea Lisa Lorenz Lorenzo Lothar Louis Louise Luca Lucas "
    "Lucia Lucy Ludwig Luis Luisa Lukas Lutz Lydia Madeleine Magdalena Magnus Mahmoud Maja Malin "
    "Manfred Manuel Manuela Marc Marcel Marcin Marco Marcos Marcus Marek Margaret Margarita "
    "Margit Margot Maria Marian Mariana Marianne Marie Marina Mario Marion Marit Markus Marlene "
    "Marta Martha Martin Martina Martine Mary María Mateusz Mathias Mathieu Mathilde Mats Matteo "
    "Matthew Matthias Maureen Maurice Maximilian Małgorzata Megan Mehmet Mei Melanie Melissa "
    "Michael Michaela Michał Michel Michele Michelle Miguel Mika Mikael Mike Mikhail Milena "
    "Miriam Mirko Mohamed Mohammad Mohammed Monica Monika Monique Moritz Muhammad Murat Mustafa "
    "Mårten Nadia Nadine Nadja Naomi Natalia Natalie Nathalie Nathan Neil Nicholas Nick Nico "
    "Nicola Nicolas Nicole Niels Nigel Niklas Nikola Nikolai Nils Nina Noah Noel Nora Norbert "
    "Norman Nuria Oleg Olga Oliver Olivia Olivier Olof Omar Oscar Oskar Ottilie Owen Pablo "
    "Pamela Paola Paolo Pascal Patricia Patrick Paul Paula Paulina Pauline Paulo Pawel Paweł "
    "Pedro Peggy Peter Petra Phil Philip Philipp Philippe Phillip Pia Pierre Pieter Pilar Piotr "
    "Priscilla Priya Rachel Rafael Ragnar Raimund Rainer Rajesh Ralf Ralph Ramona Ramón Raphael "
    "Raquel Rashid Ravi Raymond Raúl Rebecca Reinhard Renate René Renée Ricardo Richard Rita "
    "Robert Roberto Roger Roland Rolf Roman Ronald Ronny Rosemarie Roswitha Ruben Rudi Rudolf "
    "Ruth Ryan Sabine Sabrina Sally Salvatore Samantha Samir Samuel Sandra Sanjay Sara Sarah "
    "Sascha Scott Sean Sebastian Sergei Sergio Sharon Sheila Shirley Siegfried Signe Sigrid "
    "Silke Silvia Simon Simona Simone Sina Siobhan Sofia Sofie Solveig Sonia Sonja Sophia Sophie "
    "Stacey Stacy Stanisław Stefan Stefanie Steffen Steffi Stephan Stephanie Stephen Steve "
    "Steven Stuart Susan Susana Susanne Suzanne Sven Svetlana Sylvia Sylvie Sören Søren Tamara "
    "Tanja Tanya Tariq Tatiana Tatjana Teresa Theo Theodor Theresa Thierry Thomas Thorsten "
    "Tiffany Tim Timo Timothy Tina Tobias Todd Tom Tomasz Tommy Tony Torbjörn Torsten Tracy "
    "Trevor Tristan Udo Ulf Ulla Ulrica Ulrich Ulrike Umar Ursula Uschi Ute Uwe Valentina "
    "Valeria Valerie Vanessa Vera Verena Veronica Veronika Vicente Vicky Vijay Viktor Vincent "
    "Vincenzo Vivian Vladimir Volker Walter Waltraud Wanda Wayne Wendy Werner Wilfried Wilhelm "
    "William Wojciech Wolfgang Xavier Yasmin Yolanda Youssef Yuki Yusuf Yves Yvette Yvonne "
    "Zainab Zbigniew Zeynep Zofia Zoltan Åke Åsa Émile Émilie Éric Étienne Özlem Øyvind Łukasz">;

// Words of which the names of firms, places, products and days are made, and courtesies.
constexpr const auto& thing_words = words<
    "ab academy account address adidas adresse ag air airlines airport airways alexa allee alley "
    "amazon american amt android apple april artikel associates association assurance audi "
    "august augusti auto automotive avenida avenue bag bahn bahnhof bank banking bar basic bay "
    "beach beer benz best beste bestellung bible big black blue blvd bmw book books bosch "
    "boulevard bridge british broadband bros brothers burger bus buy bv bypass cafe calle canon "
    "capital card cards care cargo cathedral center central centre centrum channel chicken "
    "chinese christmas chrome church circle city classic clinic close club co code coffee cola "
    "college committee company computer computers conditions contract corp corporation council "
    "county courier couriers court credit crescent crossing cup customer customers daily damm "
    "dank data date day dear december delivery dell deluxe department depot desk dezember "
    "dienstag digital donnerstag dorf drive dutch east easter eastern echo edition electric "
    "electrical electronics energy english entertainment european express facebook fashion "
    "februar februari february federation festival films final finance financial fire firefox "
    "flat flats flughafen ford foundation freight freitag french freundliche friday furniture "
    "galaxy game games garantie garden gardens gas gasse gata gatan german gift global gmbh "
    "golden good google government grand great green greetings group grove grüße happy heights "
    "help herzliche hi-fi highway hill hochschule holding holdings home honda hospital hotel "
    "house ikea inc incorporated industries inn instagram institute insurance intel "
    "international invoice ipad iphone island italian januar januari january japanese journal "
    "juli july june juni kasse kg kind kindle king kingdom kirche kitchen klarna klinik konto "
    "krankenhaus kreis kunde kundendienst kundenservice lake lane league lego lenovo library "
    "liebe lieferung limited lines lite llc logistics lower ltd macbook magazine mai mail maj "
    "mall manager many march market markets mart mastercard matratze mattress max may media "
    "member membership mercedes merry mews microsoft mini ministry mittwoch mobile model monday "
    "montag month motor motors much museum music mutual märz national netflix network networks "
    "new news night nike nintendo north northern november number nummer october office oktober "
    "old open order orders original outlet oy package pad paket parcel parcels park parkway "
    "partners pay payment payments paypal philips phone phones pictures pizza place plats platz "
    "playstation plaza plc plus police policy post postnord power premium press prime privacy "
    "pro quay radio rail railway rechnung records red refund regards republic restaurant return "
    "returns ridge ring river road route royal rua rue rücksendung sa saint sales samstag "
    "samsung san santa saturday savings school schule schöne science september series service "
    "services shipment shipping shoes shop shops siemens silver siri society software solutions "
    "sonntag sons sony south southern spanish sparkasse spotify square st stadt staff standard "
    "state states station status stiftung store stores strasse straße street studio studios "
    "subject subscription suite sunday super supermarket support swedish switch system systems "
    "tea team tech technologies technology telecom television terms terrace tesla thank thanks "
    "theater theatre thursday ticket times torg torget tour tower town toyota tracking trail "
    "transport trust tuesday tv twitter ufer ulica ultra union united university universität "
    "unlimited update upper valley verein versicherung version vertrag viele vielen view village "
    "visa volksbank volkswagen volvo voucher väg vägen warm warranty watch water wednesday week "
    "weekly weg west western whatsapp white windows wine wireless wishes world xbox year youtube "
    "zentrum">;

// Of these, the ones that are surnames as well.
constexpr const auto& surname_words =
    words<"benz best black bosch ford green hill king siemens silver west white">;

// Firms, labels and titles that are called like a person.
constexpr const auto& firms = words<
    "Ben Jerry|Ben Sherman|Calvin Klein|Carl Zeiss|Christian Dior|Christian Louboutin|"
    "Daniel Wellington|David Lloyd|Eddie Bauer|Elizabeth Arden|Estee Lauder|Fritz Box|"
    "Georg Jensen|Giorgio Armani|Harley Davidson|Harry Potter|Helena Rubinstein|Helly Hansen|"
    "Hugo Boss|Jack Daniels|Jack Jones|Jack Wolfskin|James Bond|Jean Paul Gaultier|Jil Sander|"
    "Jimmy Choo|John Deere|John Lewis|Johnnie Walker|Karl Lagerfeld|Kate Spade|Kenneth Cole|"
    "Laura Ashley|Louis Vuitton|Marc Cain|Marc Jacobs|Marc O'Polo|Marie Claire|Mario Kart|"
    "Michael Kors|Paul Smith|Peter Hahn|Peter Pan|Philip Morris|Philipp Plein|Ralph Lauren|"
    "Robert Bosch|Roger Dubuis|Ted Baker|Thomas Cook|Thomas Sabo|Tom Ford|Tom Tailor|"
    "Tommy Bahama|Tommy Hilfiger|Tommy Jeans|Tony Hawk|Walter Knoll|William Hill",
    '|'>;

}  // namespace

bool is_given_name(std::string_view word) {
  const std::size_t hyphen = word.find('-');  // "Anna-Lena" is made of two
  return has(given_names, word.substr(0, hyphen)) &&
         (hyphen == std::string_view::npos || has(given_names, word.substr(hyphen + 1)));
}

bool is_of_things(std::string_view word) { return has(thing_words, ascii_lower(word)); }

bool is_also_surname(std::string_view word) { return has(surname_words, ascii_lower(word)); }

bool is_firm(std::string_view words) { return has(firms, words); }

}  // namespace aios::govern::detail
