"""Agents of known structure, as people write them: no prompt carries the session's marker.

Each comes in both forms, so that every strategy can drive it.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from openai import AsyncOpenAI, OpenAI
from warpbench.bench.targets.loading import Lab, Target

SUBJECTS = ("the past", "the present", "the future")


@dataclass(frozen=True, slots=True)
class Clients:
    """Asks the model, in both forms."""

    lab: Lab
    asynchronous: AsyncOpenAI
    plain: OpenAI

    async def ask(self, prompt: str, system: str = "Be brief.") -> str:
        reply = await self.asynchronous.chat.completions.create(
            model=self.lab.model, messages=_messages(prompt, system)
        )
        return reply.choices[0].message.content or ""

    def ask_plainly(self, prompt: str, system: str = "Be brief.") -> str:
        reply = self.plain.chat.completions.create(
            model=self.lab.model, messages=_messages(prompt, system)
        )
        return reply.choices[0].message.content or ""


def _messages(prompt: str, system: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": system}, {"role": "user", "content": prompt}]


def clients(lab: Lab) -> Clients:
    named = {"api_key": lab.api_key, "base_url": lab.base_url}
    return Clients(lab, AsyncOpenAI(**named), OpenAI(**named))


def deep_research(lab: Lab) -> Target:
    """A planner, three researchers at once, and a writer: five model calls."""
    ask = clients(lab)

    async def session(task: str) -> str:
        plan = await ask.ask("Plan a report.", "You plan.")
        notes = await asyncio.gather(
            *(ask.ask(f"Research {subject} for this plan: {plan}") for subject in SUBJECTS)
        )
        return await ask.ask("Write the report: " + " ".join(notes), "You write.")

    def sync_session(task: str) -> str:
        plan = ask.ask_plainly("Plan a report.", "You plan.")
        prompts = [f"Research {subject} for this plan: {plan}" for subject in SUBJECTS]
        with ThreadPoolExecutor(len(SUBJECTS)) as pool:
            notes = list(pool.map(ask.ask_plainly, prompts))
        return ask.ask_plainly("Write the report: " + " ".join(notes), "You write.")

    return Target(session=session, sync_session=sync_session)


def research_with_the_task(lab: Lab) -> Target:
    """The same with the task in each prompt: each could be the beginning of the main one."""
    ask = clients(lab)

    async def session(task: str) -> str:
        plan = await ask.ask(task, "You plan.")
        notes = await asyncio.gather(
            *(ask.ask(f"{task} Research {subject}: {plan}") for subject in SUBJECTS)
        )
        return await ask.ask(f"{task} Write the report: " + " ".join(notes), "You write.")

    return Target(session=session)


def checked_first(lab: Lab) -> Target:
    """An embedding and a moderation before the chat."""
    ask = clients(lab)

    async def session(task: str) -> str:
        await ask.asynchronous.embeddings.create(model="small", input=task)
        await ask.asynchronous.moderations.create(input=task)
        return await ask.ask(task)

    def sync_session(task: str) -> str:
        ask.plain.embeddings.create(model="small", input=[task, "more"])
        ask.plain.moderations.create(input=task)
        return ask.ask_plainly(task)

    return Target(session=session, sync_session=sync_session)


def guarded(lab: Lab) -> Target:
    """A guardrail beside the answer, in a thread of its own where the code is plain: two calls."""
    ask = clients(lab)

    async def session(task: str) -> str:
        async with asyncio.TaskGroup() as group:
            group.create_task(ask.ask("Is this safe?", "You judge."))
            answer = group.create_task(ask.ask("Hello!"))
        return answer.result()

    def sync_session(task: str) -> str:
        judge = threading.Thread(target=ask.ask_plainly, args=("Is this safe?", "You judge."))
        judge.start()
        answer = ask.ask_plainly("Hello!")
        judge.join()
        return answer

    return Target(session=session, sync_session=sync_session)


def one_list_for_all(lab: Lab) -> Target:
    """One list of messages that all sessions share: a bug that real services have."""
    ask = clients(lab)
    messages: list[object] = []

    async def session(task: str) -> str:
        messages.append({"role": "user", "content": task})
        reply = await ask.asynchronous.chat.completions.create(
            model=lab.model,
            messages=list(messages),  # type: ignore[arg-type]
        )
        messages.append(reply.choices[0].message)
        return reply.choices[0].message.content or ""

    def sync_session(task: str) -> str:
        messages.append({"role": "user", "content": task})
        reply = ask.plain.chat.completions.create(
            model=lab.model,
            messages=list(messages),  # type: ignore[arg-type]
        )
        messages.append(reply.choices[0].message)
        return reply.choices[0].message.content or ""

    return Target(session=session, sync_session=sync_session)


class Assistant:
    """A singleton whose task each session overwrites: likewise."""

    def __init__(self, lab: Lab) -> None:
        self._ask = clients(lab)
        self.task = ""

    async def run(self, task: str) -> str:
        self.task = task
        await asyncio.sleep(0.01)
        return await self._ask.ask(self.task)

    def run_plainly(self, task: str) -> str:
        self.task = task
        threading.Event().wait(0.01)
        return self._ask.ask_plainly(self.task)


def singleton(lab: Lab) -> Target:
    assistant = Assistant(lab)
    return Target(session=assistant.run, sync_session=assistant.run_plainly)


def samples(lab: Lab) -> Target:
    """Five samples of one prompt, at once."""
    ask = clients(lab)

    async def session(task: str) -> str:
        return "".join(await asyncio.gather(*(ask.ask("Guess.") for _ in range(5))))

    def sync_session(task: str) -> str:
        with ThreadPoolExecutor(5) as pool:
            return "".join(pool.map(ask.ask_plainly, ["Guess."] * 5))

    return Target(session=session, sync_session=sync_session)


def turns(lab: Lab) -> Target:
    """A chat of five turns: more than any scenario has."""
    ask = clients(lab)

    async def session(task: str) -> str:
        messages: list[dict[str, str]] = []
        for turn in range(5):
            messages.append({"role": "user", "content": f"Question {turn}"})
            reply = await ask.asynchronous.chat.completions.create(
                model=lab.model,
                messages=messages,  # type: ignore[arg-type]
            )
            messages.append(
                {"role": "assistant", "content": reply.choices[0].message.content or ""}
            )
        return messages[-1]["content"]

    return Target(session=session)


def hedged(lab: Lab) -> Target:
    """Asks once more where an answer takes long, and takes the first."""
    ask = clients(lab)

    async def session(task: str) -> str:
        racing = {asyncio.create_task(ask.ask("Quick!"))}
        done, _ = await asyncio.wait(racing, timeout=0.4)
        if not done:
            racing.add(asyncio.create_task(ask.ask("Quick!")))
        done, late = await asyncio.wait(racing, return_when=asyncio.FIRST_COMPLETED)
        for each in late:
            each.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return done.pop().result()

    return Target(session=session)


def batcher(lab: Lab) -> Target:
    """A worker that the first session starts, and that asks for all: one question at a time."""
    ask = clients(lab)
    work: asyncio.Queue[tuple[str, asyncio.Future[str]]] = asyncio.Queue()
    workers: list[asyncio.Task[None]] = []

    async def serve() -> None:
        while True:
            prompt, answer = await work.get()
            answer.set_result(await ask.ask(prompt))

    async def session(task: str) -> str:
        if not workers:
            workers.append(asyncio.create_task(serve()))
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        await work.put((task, answer))
        return await answer

    return Target(session=session)


def batcher_from_a_list(lab: Lab) -> Target:
    """A worker of a batch, which the first of it starts, and that asks for each of them at once."""
    ask = clients(lab)
    work: list[tuple[str, asyncio.Future[str]]] = []

    async def serve_one(prompt: str, answer: asyncio.Future[str]) -> None:
        answer.set_result(await ask.ask(prompt))

    async def serve(workers: list[asyncio.Task[None]]) -> None:
        await asyncio.sleep(0.01)
        batch = work.copy()
        work.clear()
        workers.clear()
        await asyncio.gather(*(serve_one(*each) for each in batch))

    workers: list[asyncio.Task[None]] = []

    async def session(task: str) -> str:
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        work.append((task, answer))
        if not workers:
            workers.append(asyncio.create_task(serve(workers)))
        return await answer

    return Target(session=session)


def thread_that_serves_a_list(lab: Lab) -> Target:
    """A thread of a batch, which the first of it starts, and that takes work under a lock."""
    ask = clients(lab)
    lock = threading.Lock()
    work: list[tuple[str, list[str], threading.Event]] = []

    def serve() -> None:
        threading.Event().wait(0.01)
        with lock:
            batch = work.copy()
            work.clear()
        for prompt, answers, is_there in batch:
            answers.append(ask.ask_plainly(prompt))
            is_there.set()

    def sync_session(task: str) -> str:
        answers: list[str] = []
        is_there = threading.Event()
        with lock:
            work.append((task, answers, is_there))
            is_first = len(work) == 1
        if is_first:
            threading.Thread(target=serve).start()
        is_there.wait()
        return answers[0]

    return Target(sync_session=sync_session)


def collecting(send: Callable[[list[str]], Awaitable[object]]) -> Callable[[str], Awaitable[None]]:
    """Return what hands a task to one worker, which sends those of all sessions together.

    It returns once its task has been sent.
    """
    work: asyncio.Queue[tuple[str, asyncio.Future[None]]] = asyncio.Queue()
    workers: list[asyncio.Task[None]] = []

    async def serve() -> None:
        while True:
            batch = [await work.get()]
            await asyncio.sleep(0.01)
            while not work.empty():
                batch.append(work.get_nowait())
            await send([task for task, _ in batch])
            for _, is_sent in batch:
                is_sent.set_result(None)

    async def hand_over(task: str) -> None:
        if not workers:
            workers.append(asyncio.create_task(serve()))
        is_sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        work.put_nowait((task, is_sent))
        await is_sent

    return hand_over


def embedder(lab: Lab) -> Target:
    """A worker that takes tasks from a queue, and embeds those of all sessions in one request."""
    ask = clients(lab)

    async def embed(tasks: list[str]) -> None:
        texts = ["A text of nobody.", *tasks]
        await ask.asynchronous.embeddings.create(model="small", input=texts)

    embedded = collecting(embed)

    async def session(task: str) -> str:
        await embedded(task)
        return await ask.ask(task)

    return Target(session=session)


def one_prompt_of_all(lab: Lab) -> Target:
    """A worker that asks one question for several sessions."""
    ask = clients(lab)
    labelled = collecting(lambda tasks: ask.ask("Label each: " + " ".join(tasks)))

    async def session(task: str) -> str:
        await labelled(task)
        return "labelled"

    return Target(session=session)


Build = Callable[[Lab], Target]
