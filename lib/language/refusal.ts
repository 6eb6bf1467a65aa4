const opening =
  /^\W*(?:i['’]?m (?:sorry|unable|not able)|i am (?:sorry|unable|not able)|sorry\b|unfortunately\b|as an ai\b|i (?:cannot|can['’]?t|won['’]?t|do not|don['’]?t|apologi[sz]e)\b)/i;

/** Whether a sentence declines to answer, as models politely do. */
export function isRefusal(sentence: string): boolean {
  return opening.test(sentence);
}
