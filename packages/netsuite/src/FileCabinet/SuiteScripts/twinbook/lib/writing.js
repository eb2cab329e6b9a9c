/**
 * Writes a batch: each record for itself, with a result for each. What the governance units or the time do not allow
 * comes back as DEFERRED, untouched. Carrying a batch out again makes no second record.
 *
 * @NApiVersion 2.1
 * @NModuleScope SameAccount
 */
define(['N/record', 'N/runtime', './finding', './addresses'], (record, runtime, finding, addresses) => {
  /** Governance units: a load or create takes 5, a save or delete 10, a query 10. */
  const QUERY = 10;
  const STEP = { create: 15, update: 10, delete: 10 };
  /** With its load, which is done for the whole chunk first. */
  const WRITE = 15;
  /** Kept back for the last query, which reads what was kept, and for a log line. */
  const RESERVE = 2 * QUERY;
  /** Records that are loaded, compared with what the caller saw, and saved together. */
  const CHUNK = 20;

  const CHANGED = ['RCRD_HAS_BEEN_CHANGED', 'RCRD_EDITED_SINCE_RETRIEVED'];
  const DATES = ['date'];
  const MOMENTS = ['datetime', 'datetimetz'];
  /** Fields that a record has although it does not list them. */
  const UNLISTED = ['externalid'];

  class Refusal extends Error {
    constructor(name, message, field) {
      super(message);
      this.name = name;
      this.field = field;
    }
  }

  const remaining = () => runtime.getCurrentScript().getRemainingUsage();

  const converted = (fieldId, type, value) => {
    if (value === null) return '';
    // A radio button in the form, a checkbox everywhere else.
    if (fieldId === 'isperson') return value === true ? 'T' : 'F';
    if (typeof value !== 'string') return value;
    if (DATES.includes(type)) {
      const [year, month, day] = value.split('-').map(Number);
      return new Date(year, month - 1, day);
    }
    return MOMENTS.includes(type) ? new Date(value) : value;
  };

  const setFields = (rec, fields) => {
    Object.keys(fields).forEach((fieldId) => {
      const field = rec.getField({ fieldId });
      if (!field && !UNLISTED.includes(fieldId)) {
        throw new Refusal('UNKNOWN_FIELD', `Unknown reference or field '${fieldId}'.`, fieldId);
      }
      try {
        rec.setValue({ fieldId, value: converted(fieldId, field ? field.type : 'text', fields[fieldId]) });
      } catch (problem) {
        throw new Refusal(problem.name, problem.message, fieldId);
      }
    });
  };

  const filled = (rec, write) => {
    setFields(rec, write.fields);
    if (write.address) addresses.apply(rec, write.address);
    return rec;
  };

  const saved = (rec) => String(rec.save({ enableSourcing: false, ignoreMandatoryFields: false }));

  const refused = (key, problem) => {
    if (CHANGED.includes(problem.name)) return { key, status: 'STALE', message: problem.message };
    const told = { key, status: 'REFUSED', code: String(problem.name || 'UNEXPECTED_ERROR') };
    told.message = String(problem.message || problem).slice(0, 2000);
    if (problem.field) told.field = problem.field;
    return told;
  };

  const create = (type, write) => {
    const rec = record.create({ type, isDynamic: false });
    setFields(rec, { externalid: write.externalId });
    return saved(filled(rec, write));
  };

  /**
   * Somebody else, or an earlier call whose answer was lost, may have made the record since the batch began: then the
   * refusal is about the external id, and the record that has it is the one that is meant.
   */
  const createOrFind = (type, write) => {
    try {
      return { key: write.key, status: 'CREATED', id: create(type, write) };
    } catch (problem) {
      if (!/exist|unique|dup/i.test(`${problem.name} ${problem.message}`)) throw problem;
      if (remaining() < QUERY + WRITE + RESERVE) return { key: write.key, status: 'DEFERRED' };
      const id = finding.byExternalId(type, [write.externalId]).get(write.externalId);
      if (id === undefined) throw problem;
      return { key: write.key, status: 'UPDATED', id: saved(filled(record.load({ type, id }), write)) };
    }
  };

  const update = (write, rec) => ({ key: write.key, status: 'UPDATED', id: saved(filled(rec, write)) });

  const remove = (type, write) => {
    record.delete({ type, id: write.id });
    return { key: write.key, status: 'DELETED', id: write.id };
  };

  /** Loads what the chunk changes: whatever is saved by others from here on, the save notices. */
  const load = (type, writes) => {
    const loaded = new Map();
    writes
      .filter((write) => write.op === 'update')
      .forEach((write) => {
        try {
          loaded.set(write.key, { rec: record.load({ type, id: write.id, isDynamic: false }) });
        } catch (problem) {
          loaded.set(write.key, { problem });
        }
      });
    return loaded;
  };

  const isStale = (write, versions) => write.ifVersion !== undefined && versions.get(write.id) !== write.ifVersion;

  const carryOut = (type, write, loaded) => {
    try {
      if (write.op === 'delete') return remove(type, write);
      if (write.op === 'create') return createOrFind(type, write);
      if (loaded.problem) throw loaded.problem;
      return update(write, loaded.rec);
    } catch (problem) {
      return refused(write.key, problem);
    }
  };

  const STALE = 'The record was changed since it was read.';

  const chunkResults = (type, writes, ends) => {
    const loaded = load(type, writes);
    const conditional = writes.filter((write) => write.ifVersion !== undefined).map((write) => write.id);
    const versions = finding.versions(type, conditional);
    return writes.map((write) => {
      const { key, op } = write;
      if (remaining() < STEP[op] + RESERVE || Date.now() >= ends) return { key, status: 'DEFERRED' };
      const found = loaded.get(key);
      return isStale(write, versions) && !found.problem
        ? { key, status: 'STALE', message: STALE }
        : carryOut(type, write, found);
    });
  };

  /** The writes with what exists already as updates; later ones of the same record are refused. */
  const resolved = (type, writes) => {
    const wanted = writes.filter((write) => write.op === 'create').map((write) => write.externalId);
    const existing = finding.byExternalId(type, [...new Set(wanted)]);
    const taken = new Set();
    const refusals = [];
    const due = writes
      .map((write) =>
        write.op === 'create' && existing.has(write.externalId)
          ? { ...write, op: 'update', id: existing.get(write.externalId) }
          : write,
      )
      .filter((write) => {
        const target = write.op === 'create' ? `eid:${write.externalId}` : write.id;
        if (!taken.has(target)) {
          taken.add(target);
          return true;
        }
        const message = 'Another write of this batch is for the same record. Send it in a later call.';
        refusals.push({ key: write.key, status: 'REFUSED', code: 'DUPLICATE_IN_BATCH', message });
        return false;
      });
    return { due, refusals };
  };

  /** What NetSuite kept. Not seeing it is no reason to lose the results: the caller reads it again. */
  const withRows = (type, shape, results) => {
    const ids = results.filter((result) => ['CREATED', 'UPDATED'].includes(result.status)).map((result) => result.id);
    if (!shape || ids.length === 0 || remaining() < QUERY) return results;
    let found;
    try {
      found = finding.find({ record: type, by: { id: ids }, shape });
    } catch (_) {
      return results;
    }
    const rows = new Map();
    found.forEach((row) => {
      // Defaults on two address lines give two rows; the billing default counts.
      if (!rows.has(row.id) || row.defaultbilling === 'T') rows.set(row.id, row);
    });
    return results.map((result) => (rows.has(result.id) ? { ...result, row: rows.get(result.id) } : result));
  };

  /** A result for each write of the request, in no particular order. */
  const write = (request) => {
    const ends = Date.now() + request.seconds * 1000;
    const { due, refusals } = resolved(request.record, request.writes);
    const results = [];
    let next = 0;
    while (next < due.length && Date.now() < ends) {
      const affordable = Math.floor((remaining() - RESERVE - QUERY) / WRITE);
      if (affordable < 1) break;
      const chunk = due.slice(next, next + Math.min(CHUNK, affordable));
      results.push(...chunkResults(request.record, chunk, ends));
      next += chunk.length;
    }
    const deferred = due.slice(next).map((item) => ({ key: item.key, status: 'DEFERRED' }));
    return [...withRows(request.record, request.shape, results), ...refusals, ...deferred];
  };

  return { write };
});
