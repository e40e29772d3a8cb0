// Expected digests of {{bodySortedSHA256}}: node sortedbody.mjs > sortedbody.json
// Array.prototype.sort compares by UTF-16 code units, JSON.stringify writes names and strings. Numbers here are chosen so
// that ECMAScript writes them as they stand.
import { createHash } from "node:crypto";

const stringify = (v) =>
  Array.isArray(v) ? "[" + v.map(stringify).join(",") + "]"
  : v && typeof v === "object"
    ? "{" + Object.keys(v).sort().map((k) => JSON.stringify(k) + ":" + stringify(v[k])).join(",") + "}"
    : JSON.stringify(v);

const bodies = [
  "{}", "[]", "null", " true ", "\"x\"", "-1.5",
  "{\"b\":1,\"a\":2}",
  "{ \"z\" : [ { \"b\" : null , \"a\" : false } , 10 ] ,\n \"10\":1, \"9\":2, \"a\":{\"y\":{},\"x\":[]} }",
  "{\"<>&\":\"</script>&<>\",\"\\u003c\":\"\\u2028\\u2029\"}",
  "{\"\\ue000\":1,\"\\ud83d\\ude00\":2,\"\\uffff\":3,\"😁\":4,\"é\":5,\"e\":6}",
  "{\"s\":\"\\u0000\\u0001\\b\\f\\n\\r\\t\\u001f\\u007f\\\"\\\\\\/\"}",
  "{\"lone\":\"\\uD83D\",\"low\":\"\\udE00x\",\"swapped\":\"\\udE00\\uD83D\"}",
  "{\"\\ud83e\":1,\"\\ud83d\\ude00\":2,\"\\ud83d\":3,\"\\ud83d\\ude00b\":4,\"\\ud83d\\ude00a\":5}",
  "{\"A\":1,\"a\":2,\"_\":3,\"aa\":4,\"\":5}",
];
const cases = bodies.map((body) => {
  const sorted = stringify(JSON.parse(body));
  return { body, sorted, sha256: createHash("sha256").update(sorted).digest("hex") };
});
console.log(JSON.stringify(cases, null, 1));
