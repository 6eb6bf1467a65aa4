import type {CompletionRequest, LanguageModel} from '../../lib/language/language-model.ts';

export interface ScriptedModel extends LanguageModel {
  /** All that was asked, in order. */
  readonly requests: readonly CompletionRequest[];
}

/** A language model that gives these answers in turn, the last one again and again; errors it throws. */
export function scriptedModel(...answers: readonly (string | Error)[]): ScriptedModel {
  const requests: CompletionRequest[] = [];
  return {
    identity: 'scripted',
    requests,
    async complete(request) {
      const answer = answers[Math.min(requests.push(request), answers.length) - 1]!;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
}
