/**
 * Sentences from templates: `{a|b}` stands for either, `{|a}` for a or nothing; braces may be nested.
 */

/** All sentences of a template, with single blanks, in the order of its alternatives. */
export function expandTemplate(template: string): string[] {
  const innermost = /\{([^{}]*)\}/.exec(template);
  if (innermost === null)
    return [
      template
        .replace(/\s+/g, ' ')
        .replace(/ ([,.])/g, '$1')
        .trim(),
    ];
  const [group, alternatives] = innermost;
  const before = template.slice(0, innermost.index);
  const after = template.slice(innermost.index + group.length);
  return alternatives!.split('|').flatMap(choice => expandTemplate(before + choice + after));
}
