// What the scripts share: an order as JSON on stdin, an answer as JSON on stdout.

import { text } from "node:stream/consumers";

/** Runs each named case with the order; the answer has each case's result, or the error that ended it. */
export async function answer(cases) {
  const order = JSON.parse(await text(process.stdin));
  const results = {};
  for (const [name, act] of Object.entries(cases)) {
    try {
      results[name] = { value: await act(order) };
    } catch (error) {
      results[name] = { error: { name: error.name, code: error.errorCode ?? error.code, message: error.message } };
    }
  }
  process.stdout.write(JSON.stringify(results), () => process.exit(0)); // a client may keep connections open
}
