// The part of SuiteScript that runs beside a script: AMD modules and the N/* modules, over one function of the host.
// `host(operation, json)` answers JSON: {"value": …} or {"error": {"name": …, "message": …}}.
(() => {
  class SuiteScriptError extends Error {
    constructor(name, message) {
      super(message);
      this.name = name;
      this.type = 'error.SuiteScriptError';
    }
  }

  const encoded = (value) =>
    value instanceof Date
      ? { $date: [value.getFullYear(), value.getMonth() + 1, value.getDate()], $ms: value.getTime() }
      : value;

  const call = (operation, argument = {}) => {
    const answer = JSON.parse(host(operation, JSON.stringify(argument)));
    if (answer.error) throw new SuiteScriptError(answer.error.name, answer.error.message);
    return answer.value;
  };

  const missing = (name) => {
    throw new SuiteScriptError('SSS_MISSING_REQD_ARGUMENT', `${name}: Missing a required argument.`);
  };
  const needed = (options, ...names) => {
    names.forEach((name) => (options === undefined || options[name] === undefined ? missing(name) : null));
    return options;
  };

  // --- N/record

  class Field {
    constructor(id, type) {
      this.id = id;
      this.type = type;
    }
  }

  class Subrecord {
    constructor(values) {
      this.values = values;
      this.changes = {};
    }
    getValue(options) {
      const { fieldId } = needed(options, 'fieldId');
      return fieldId in this.changes ? this.changes[fieldId] : this.values[fieldId];
    }
    setValue(options) {
      const { fieldId, value } = needed(options, 'fieldId');
      this.changes[fieldId] = encoded(value);
      return this;
    }
  }

  class Line {
    constructor(key, values, address) {
      this.key = key;
      this.values = values;
      this.changes = {};
      this.address = new Subrecord(address);
    }
  }

  class Record {
    constructor(data) {
      this.id = data.id;
      this.type = data.type;
      this.isDynamic = false;
      this._values = data.values;
      this._types = data.types;
      this._stamp = data.stamp;
      this._changes = {};
      this._lines = (data.lines || []).map((line) => new Line(line.key, line.values, line.address));
    }
    getField(options) {
      const { fieldId } = needed(options, 'fieldId');
      return fieldId in this._types ? new Field(fieldId, this._types[fieldId]) : null;
    }
    getValue(options) {
      const fieldId = typeof options === 'string' ? options : needed(options, 'fieldId').fieldId;
      return fieldId in this._changes ? this._changes[fieldId] : (this._values[fieldId] ?? '');
    }
    setValue(options) {
      const { fieldId, value } = needed(options, 'fieldId');
      this._changes[fieldId] = encoded(value);
      return this;
    }
    getLineCount(options) {
      needed(options, 'sublistId');
      return options.sublistId === 'addressbook' ? this._lines.length : -1;
    }
    _line(options) {
      const { line } = needed(options, 'sublistId', 'line');
      if (options.sublistId !== 'addressbook' || !this._lines[line]) {
        throw new SuiteScriptError('SSS_INVALID_SUBLIST_OPERATION', 'You have attempted an invalid sublist operation.');
      }
      return this._lines[line];
    }
    getSublistValue(options) {
      const { changes, values } = this._line(options);
      return options.fieldId in changes ? changes[options.fieldId] : values[options.fieldId];
    }
    setSublistValue(options) {
      this._line(options).changes[needed(options, 'fieldId').fieldId] = options.value;
      return this;
    }
    insertLine(options) {
      const { line } = needed(options, 'sublistId', 'line');
      this._lines.splice(line, 0, new Line(null, {}, {}));
      return this;
    }
    getSublistSubrecord(options) {
      needed(options, 'fieldId');
      return this._line(options).address;
    }
    save() {
      this.id = call('record.save', {
        type: this.type,
        id: this.id,
        stamp: this._stamp,
        changes: this._changes,
        lines: this._lines.map((line) => ({ key: line.key, changes: line.changes, address: line.address.changes })),
      });
      return this.id;
    }
  }

  const recordModule = {
    Type: { CONTACT: 'contact', CUSTOMER: 'customer' },
    create: (options) => new Record(call('record.create', needed(options, 'type'))),
    load: (options) => new Record(call('record.load', needed(options, 'type', 'id'))),
    delete: (options) => call('record.delete', needed(options, 'type', 'id')),
    attach: (options) => call('record.attach', needed(options, 'record', 'to')),
    detach: (options) => call('record.detach', needed(options, 'record', 'from')),
  };

  // --- N/query, N/search

  const queryModule = {
    runSuiteQL: (options) => {
      const rows = call('query.run', needed(options, 'query'));
      return { asMappedResults: () => rows };
    },
  };
  const searchModule = {
    lookupFields: (options) => call('search.lookup', needed(options, 'type', 'id', 'columns')),
  };

  // --- N/https: synchronous, as in NetSuite; a promise is settled before the script goes on

  const promising = (operation) => {
    const plain = (options) => {
      const answer = call(operation, needed(options, 'url'));
      return { code: answer.code, body: answer.body, headers: answer.headers };
    };
    plain.promise = async (options) => plain(options);
    return plain;
  };
  const httpsModule = { get: promising('https.get'), post: promising('https.post') };

  // --- N/crypto, N/encode

  const encodeModule = { Encoding: { UTF_8: 'UTF_8', HEX: 'HEX', BASE_64: 'BASE_64' } };
  class Hmac {
    constructor(options) {
      this.algorithm = options.algorithm;
      this.key = options.key;
      this.inputs = [];
    }
    update(options) {
      this.inputs.push(needed(options, 'input').input);
    }
    digest(options) {
      const outputEncoding = options ? options.outputEncoding : 'HEX';
      return call('crypto.hmac', { ...this.key, algorithm: this.algorithm, text: this.inputs.join(''), outputEncoding });
    }
  }
  const cryptoModule = {
    HashAlg: { SHA1: 'SHA1', SHA256: 'SHA256', SHA512: 'SHA512' },
    createSecretKey: (options) => ({ secret: options.secret, guid: options.guid }),
    createHmac: (options) => new Hmac(needed(options, 'algorithm', 'key')),
  };
  const randomModule = { generateUUID: () => call('random.uuid') };

  // --- N/cache

  const cacheModule = {
    Scope: { PRIVATE: 'PRIVATE', PROTECTED: 'PROTECTED', PUBLIC: 'PUBLIC' },
    getCache: (options) => {
      const at = { cache: needed(options, 'name').name };
      return {
        get: (asked) => call('cache.get', { ...at, ...needed(asked, 'key') }),
        put: (kept) => call('cache.put', { ...at, ...needed(kept, 'key', 'value'), value: String(kept.value) }),
        remove: (gone) => call('cache.remove', { ...at, ...needed(gone, 'key') }),
      };
    },
  };

  // --- N/runtime, N/error, N/log, N/format

  const runtimeModule = {
    get executionContext() {
      return call('runtime.context');
    },
    get accountId() {
      return call('runtime.account');
    },
    ContextType: {
      USER_INTERFACE: 'USERINTERFACE',
      CSV_IMPORT: 'CSVIMPORT',
      REST_WEBSERVICES: 'RESTWEBSERVICES',
      RESTLET: 'RESTLET',
      WEBSERVICES: 'WEBSERVICES',
      SCHEDULED: 'SCHEDULED',
      WORKFLOW: 'WORKFLOW',
      USEREVENT: 'USEREVENT',
    },
    getCurrentUser: () => call('runtime.user'),
    getCurrentScript: () => ({
      ...call('runtime.script'),
      getRemainingUsage: () => call('runtime.usage'),
      getParameter: (options) => call('runtime.parameter', needed(options, 'name')),
    }),
  };
  const errorModule = { create: (options) => new SuiteScriptError(options.name || 'UNEXPECTED_ERROR', options.message || '') };
  const logModule = {};
  ['debug', 'audit', 'error', 'emergency'].forEach((level) => {
    logModule[level] = (options) => call('log', { level, title: String(options.title), details: String(options.details) });
  });
  const formatModule = { Type: { DATE: 'date' }, parse: (options) => new Date(options.value), format: (options) => String(options.value) };

  const modules = {
    'N/record': recordModule,
    'N/query': queryModule,
    'N/search': searchModule,
    'N/https': httpsModule,
    'N/crypto': cryptoModule,
    'N/crypto/random': randomModule,
    'N/encode': encodeModule,
    'N/cache': cacheModule,
    'N/runtime': runtimeModule,
    'N/error': errorModule,
    'N/log': logModule,
    'N/format': formatModule,
  };
  globalThis.log = logModule;

  // --- AMD

  let folder = '';
  let defined;
  const loaded = {};
  const resolved = (name) => {
    const parts = name.startsWith('.') ? `${folder}/${name}`.split('/') : name.split('/');
    const path = [];
    parts.forEach((part) => (part === '..' ? path.pop() : part !== '.' && part !== '' && path.push(part)));
    const file = `/${path.join('/')}`;
    return file.endsWith('.js') ? file : `${file}.js`;
  };
  const load = (path) => {
    if (!(path in loaded)) {
      const before = folder;
      folder = path.slice(0, path.lastIndexOf('/'));
      defined = undefined;
      const text = source(path);
      if (text === null || text === undefined) {
        throw new SuiteScriptError('MODULE_DOES_NOT_EXIST', `Module does not exist: ${path}`);
      }
      (0, eval)(text);
      const module = defined;
      if (!module) throw new SuiteScriptError('MODULE_DOES_NOT_EXIST', `Module does not define anything: ${path}`);
      loaded[path] = module();
      folder = before;
    }
    return loaded[path];
  };
  const required = (name) => {
    if (name in modules) return modules[name];
    if (name.startsWith('N/')) throw new SuiteScriptError('MODULE_DOES_NOT_EXIST', `Module does not exist: ${name}`);
    return load(resolved(name));
  };
  globalThis.define = (names, factory) => {
    const own = folder;
    defined = () => {
      folder = own;
      return typeof factory === 'function' ? factory(...names.map((name) => {
        folder = own;
        return required(name);
      })) : factory;
    };
  };

  const told = (problem) => ({
    name: problem && problem.name ? String(problem.name) : 'UNEXPECTED_ERROR',
    message: problem && problem.message !== undefined ? String(problem.message) : String(problem),
    thrown: problem instanceof SuiteScriptError,
    stack: problem && problem.stack ? String(problem.stack) : '',
  });

  globalThis.answered = '';
  const settle = (value) => {
    globalThis.answered = JSON.stringify({ value: value === undefined ? null : value });
  };
  const fail = (problem) => {
    globalThis.answered = JSON.stringify({ error: told(problem) });
  };

  /** Runs an entry point of a script; what comes of it stands in `answered`. */
  globalThis.enter = (path, entry, argument) => {
    try {
      const script = load(path);
      if (typeof script[entry] !== 'function') {
        throw new SuiteScriptError('SSS_INVALID_ENTRY_POINT', `The script has no entry point ${entry}.`);
      }
      const result = script[entry](JSON.parse(argument));
      if (result && typeof result.then === 'function') result.then(settle, fail);
      else settle(result);
    } catch (problem) {
      fail(problem);
    }
  };

  /** Runs afterSubmit with records made of plain values. */
  globalThis.afterSubmit = (path, argument) => {
    const given = JSON.parse(argument);
    const made = (data) => (data ? new Record(data) : null);
    const context = {
      type: given.type,
      UserEventType: { CREATE: 'create', EDIT: 'edit', XEDIT: 'xedit', DELETE: 'delete' },
      newRecord: made(given.newRecord),
      oldRecord: made(given.oldRecord),
    };
    try {
      const result = load(path).afterSubmit(context);
      if (result && typeof result.then === 'function') result.then(settle, fail);
      else settle(null);
    } catch (problem) {
      fail(problem);
    }
  };
})();
