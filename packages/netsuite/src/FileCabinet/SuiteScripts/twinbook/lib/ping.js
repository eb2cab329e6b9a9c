/**
 * Tells Twinbook that records changed: their types and ids, never a value. A ping only makes Twinbook look sooner; its
 * polling finds every change in any case. So a ping may be left out at any time, and nothing here may ever fail a save.
 *
 * N/https gives no say over its timeouts (5 s to connect, 45 s in all). What bounds the wait is the circuit: one failure
 * or one slow answer, and no save pings for the next five minutes.
 *
 * @NApiVersion 2.1
 * @NModuleScope SameAccount
 */
define(['N/cache', 'N/crypto', 'N/encode', 'N/https', 'N/log', 'N/runtime'], (
  cache,
  crypto,
  encode,
  https,
  log,
  runtime,
) => {
  const URL = 'custscript_twinbook_url';
  const CONNECTION = 'custscript_twinbook_connection';
  const SECRET = 'custscript_twinbook_secret';

  const OPEN = 'open';
  /** Seconds without pings after a failure; the least that a cache keeps. */
  const PAUSE_S = 300;
  const SLOW_MS = 2000;
  /** Above this many pings a minute (an import, a mass update) polling is the better way. */
  const MOST_A_MINUTE = 60;

  const hex = (value) => value.toString(16).padStart(8, '0');
  const nonce = () => [0, 0, 0, 0].map(() => hex(Math.floor(Math.random() * 0x100000000))).join('');

  const signature = (secret, text) => {
    const key = crypto.createSecretKey({ secret, encoding: encode.Encoding.UTF_8 });
    const hmac = crypto.createHmac({ algorithm: crypto.HashAlg.SHA256, key });
    hmac.update({ input: text, inputEncoding: encode.Encoding.UTF_8 });
    return hmac.digest({ outputEncoding: encode.Encoding.HEX }).toLowerCase();
  };

  const pause = (memory, why) => {
    memory.put({ key: OPEN, value: why, ttl: PAUSE_S });
    log.audit({ title: 'twinbook', details: `No pings for ${PAUSE_S} s: ${why}` });
  };

  const isTooMany = (memory, now) => {
    const key = `minute ${Math.floor(now / 60000)}`;
    const count = Number(memory.get({ key }) || 0) + 1;
    memory.put({ key, value: String(count), ttl: PAUSE_S });
    return count > MOST_A_MINUTE;
  };

  const post = (url, records, now) => {
    const script = runtime.getCurrentScript();
    const connection = script.getParameter({ name: CONNECTION }) || 'default';
    const body = JSON.stringify({ v: 1, connection, records });
    const [t, n] = [Math.floor(now / 1000), nonce()];
    const v1 = signature(script.getParameter({ name: SECRET }), `${t}.${n}.${body}`);
    const headers = { 'Content-Type': 'application/json', 'X-Twinbook-Signature': `t=${t},n=${n},v1=${v1}` };
    return https.post({ url, headers, body });
  };

  const sendNow = (records) => {
    const url = runtime.getCurrentScript().getParameter({ name: URL });
    if (!url) return;
    const memory = cache.getCache({ name: 'twinbook_ping', scope: cache.Scope.PRIVATE });
    const now = Date.now();
    if (memory.get({ key: OPEN }) || isTooMany(memory, now)) return;
    let why = '';
    try {
      const { code } = post(url, records, now);
      if (code < 200 || code > 299) why = `Twinbook answered ${code}.`;
    } catch (problem) {
      why = `Twinbook could not be reached: ${problem.name}.`;
    }
    if (!why && Date.now() - now > SLOW_MS) why = 'Twinbook took too long to answer.';
    if (why) pause(memory, why);
  };

  /** Ping for these records ({type, id}); never throws. */
  const send = (records) => {
    try {
      sendNow(records);
    } catch (problem) {
      try {
        log.error({ title: 'twinbook', details: `A ping was left out: ${problem.name}` });
      } catch (_) {
        // Not even the log may stand in the way of a save.
      }
    }
  };

  return { send };
});
