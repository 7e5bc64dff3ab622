import { describe, it } from 'vitest';
import { dialectCases } from '../testing/dialect.cases.ts';
import { thinking } from './thinking.ts';

const line = (id: string, data: string) => ({ id: `r1.e1.${id}`, data });
const triage = { agent: { id: 'a1', name: 'Triage', path: 'a1' } };
const serviceNow = { agent: { id: 'a2', name: 'ServiceNow', path: 'a1/a2' } };
const error = { code: 'broken', message: 'It broke' };

describe('the thinking dialect', () => {
  dialectCases({
    test: it,
    dialect: thinking,
    spans: ({ data }) => {
      const [, invoked] = /^\[(.*)\] agent invoked$/.exec(`${data}`) ?? [];
      const [, finished] = /^\[(.*)\] agent finished$/.exec(`${data}`) ?? [];
      const [, called] = /^Calling (.*)\.\.\.$/.exec(`${data}`) ?? [];
      const [, done] = /^(?!\[)(.*) finished$/.exec(`${data}`) ?? [];
      const begins = invoked ?? called;
      const ends = finished ?? done;
      return { ...(begins !== undefined && { begins }), ...(ends !== undefined && { ends }) };
    },
    golden: [
      {
        name: 'a turn as the document draws it',
        events: [
          ['run.started', { agent: 'ops', input: 'Which changes are due?' }],
          ['agent.started', { input: 'x' }, triage],
          ['agent.started', {}, serviceNow],
          ['tool.started', { toolCallId: 't', name: 'list_change_requests' }, serviceNow],
          ['tool.args.delta', { toolCallId: 't', delta: '{}' }, serviceNow],
          ['tool.called', { toolCallId: 't', name: 'list_change_requests', args: {} }, serviceNow],
          ['tool.progress', { toolCallId: 't', message: 'half' }, serviceNow],
          ['tool.completed', { toolCallId: 't', name: 'list_change_requests', result: [] }, serviceNow],
          ['agent.completed', { output: 'y' }, serviceNow],
          ['message.delta', { messageId: 'm', delta: 'not for this door' }],
          ['agent.completed', {}, triage],
          ['run.completed', { output: 'Two.' }],
        ],
        frames: [
          line('2', '[Triage] agent invoked'),
          line('3', '[ServiceNow] agent invoked'),
          line('4', 'Calling list_change_requests...'),
          line('8', 'list_change_requests finished'),
          line('9', '[ServiceNow] agent finished'),
          line('11', '[Triage] agent finished'),
        ],
      },
      {
        name: 'a turn that breaks off, whose end finishes what is open, innermost first',
        events: [
          ['run.started', { agent: 'ops' }],
          ['agent.started', {}, triage],
          ['agent.started', {}, serviceNow],
          ['tool.called', { toolCallId: 't', name: 'rm', args: {} }, serviceNow],
          ['run.cancelled', { reason: 'Enough' }],
        ],
        frames: [
          line('2', '[Triage] agent invoked'),
          line('3', '[ServiceNow] agent invoked'),
          line('4', 'Calling rm...'),
          line('5.1', 'rm finished'),
          line('5.2', '[ServiceNow] agent finished'),
          line('5', '[Triage] agent finished'),
        ],
      },
      {
        name: 'what fails, is denied, or ends without a beginning',
        events: [
          ['run.started', { agent: 'ops' }],
          ['tool.started', { toolCallId: 't', name: 'rm' }],
          ['tool.failed', { toolCallId: 't', error }],
          ['tool.denied', { toolCallId: 'u', name: 'curl' }],
          ['agent.failed', { error }, triage],
          ['run.failed', { error }],
        ],
        frames: [
          line('2', 'Calling rm...'),
          line('3', 'rm finished'),
          line('4.1', 'Calling curl...'),
          line('4', 'curl finished'),
          line('5.1', '[Triage] agent invoked'),
          line('5', '[Triage] agent finished'),
        ],
      },
      {
        name: 'names with line breaks, which stay on their line',
        events: [
          ['tool.started', { toolCallId: 't', name: 'a\r\ndata: b' }],
          ['run.completed', {}],
        ],
        frames: [line('1', 'Calling a data: b...'), line('2', 'a data: b finished')],
      },
    ],
  });
});
