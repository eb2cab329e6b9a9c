// Checks every file of the package with Salesforce's own tools, without an org:
// - source-deploy-retrieve resolves each file to a component and converts all of them as a deploy would;
// - each element of each file must stand in @salesforce/types, which is made from the Metadata API's WSDL.
// Prints one line of JSON: {"components": ["Type:Name", …], "problems": ["file: what", …]}.
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ComponentSet, MetadataConverter } from '@salesforce/source-deploy-retrieve';
import ts from 'typescript';

const here = path.dirname(fileURLToPath(import.meta.url));
const project = createRequire(import.meta.url)('./sfdx-project.json');
const roots = process.argv.length > 2 ? process.argv.slice(2) : project.packageDirectories.map((each) => each.path);
const problems = [];

const components = ComponentSet.fromSource(roots.map((root) => path.resolve(here, root)))
  .getSourceComponents()
  .toArray()
  .flatMap((component) => [component, ...component.getChildren()]);

await convert();
const types = await wsdl();
for (const component of components) {
  if (component.xml) await checkFile(component);
}
const names = components.map((each) => `${each.type.name}:${each.fullName}`).sort();
console.log(JSON.stringify({ components: names, problems }));

async function convert() {
  const outputDirectory = await mkdtemp(path.join(tmpdir(), 'twinbook-metadata-'));
  try {
    const whole = components.filter((each) => !each.parent);
    const result = await new MetadataConverter().convert(whole, 'metadata', { type: 'directory', outputDirectory });
    const lost = whole.filter((each) => !result.converted.some((one) => one.fullName === each.fullName));
    problems.push(...lost.map((each) => `${each.fullName}: was not converted`));
  } finally {
    await rm(outputDirectory, { recursive: true });
  }
}

async function wsdl() {
  const file = createRequire(import.meta.url).resolve('@salesforce/types/metadata').replace(/\.js$/, '.d.ts');
  const program = ts.createProgram([file], { noLib: false, strict: true, types: [] });
  const checker = program.getTypeChecker();
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)));
  const byName = new Map(exported.map((symbol) => [symbol.name, symbol]));
  return { checker, of: (name) => byName.has(name) && checker.getDeclaredTypeOfSymbol(byName.get(name)) };
}

async function checkFile(component) {
  const file = path.relative(here, component.xml);
  const parsed = await component.parseXml();
  const [root] = Object.keys(parsed).filter((name) => !name.startsWith('?'));
  const type = types.of(root);
  if (!type) problems.push(`${file}: ${root} is no metadata type`);
  else checkElement(parsed[root], type, file);
}

function checkElement(value, type, place) {
  const members = new Map(types.checker.getPropertiesOfType(type).map((symbol) => [symbol.name, symbol]));
  for (const [name, content] of Object.entries(value)) {
    if (name.startsWith('@_')) continue;
    const member = members.get(name);
    if (member) checkMember(content, types.checker.getTypeOfSymbol(member), `${place}: ${name}`);
    else problems.push(`${place}: ${name} is no element of ${type.aliasSymbol?.name ?? 'its parent'}`);
  }
  for (const [name, member] of members) {
    const needed = !(member.flags & ts.SymbolFlags.Optional) && !isList(types.checker.getTypeOfSymbol(member));
    if (needed && !(name in value)) problems.push(`${place}: ${name} is missing`);
  }
}

function checkMember(content, declared, place) {
  const type = types.checker.getNonNullableType(declared);
  if (isList(type)) {
    const [item] = types.checker.getTypeArguments(type);
    for (const each of [content].flat()) checkMember(each, item, place);
  } else if (Array.isArray(content)) {
    problems.push(`${place} stands there more than once`);
  } else if (typeof content === 'object') {
    checkElement(content, type, place);
  } else if (!accepts(type, String(content))) {
    problems.push(`${place} may not be "${content}"`);
  }
}

function accepts(type, text) {
  if (type.flags & ts.TypeFlags.String) return true;
  if (type.flags & ts.TypeFlags.Number) return /^-?\d+(\.\d+)?$/.test(text);
  if (type.flags & (ts.TypeFlags.Boolean | ts.TypeFlags.BooleanLiteral)) return /^(true|false)$/.test(text);
  if (type.isStringLiteral()) return type.value === text;
  return type.isUnion() && type.types.some((each) => accepts(each, text));
}

function isList(type) {
  return types.checker.isArrayType(types.checker.getNonNullableType(type));
}
