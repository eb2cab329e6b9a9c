/**
 * Reads and writes contacts and customers in batches for Twinbook. The contract stands in docs/restlet.md.
 *
 * @NApiVersion 2.1
 * @NScriptType Restlet
 * @NModuleScope SameAccount
 */
define(['N/log', './lib/contract', './lib/finding', './lib/writing'], (log, contract, finding, writing) => {
  /** What is deployed, and how much one call may ask for. */
  const get = () => ({
    version: contract.VERSION,
    script: contract.SCRIPT,
    limits: { writes: contract.MAX_WRITES, keys: contract.MAX_KEYS, columns: contract.MAX_COLUMNS },
  });

  const post = (body) => {
    const request = contract.understood(body);
    if (request.action === 'find') {
      return { version: contract.VERSION, rows: finding.find(request) };
    }
    const results = writing.write(request);
    const refused = results.filter((result) => result.status === 'REFUSED').length;
    if (refused > 0) {
      // Counts only: values of records have no place in a log.
      log.audit({ title: 'twinbook', details: `${refused} of ${results.length} writes were refused` });
    }
    return { version: contract.VERSION, results };
  };

  return { get, post };
});
