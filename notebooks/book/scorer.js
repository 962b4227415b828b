// Order of what a search finds: what answers a question comes before its exercises and solutions.
// The numbers are Sphinx's own.
var Scorer = {
  score: ([page, title, anchor, text, score]) =>
    /^(exercises|solutions)\//.test(page) ? score - 20 : score,
  objNameMatch: 11, objPartialMatch: 6, objPrio: { 0: 15, 1: 5, 2: -5 }, objPrioDefault: 0,
  title: 15, partialTitle: 7, term: 5, partialTerm: 2,
};
