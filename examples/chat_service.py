"""A chat service with a mistake: one manager for all requests holds what belongs to one.

While a request waits for the model, the next one overwrites `manager.request`. Repaired, it is
`chat_service_repaired.py`. The lab sends its tasks to the app in-process, without a server:

    warpbench explore chat --target chat_service:build
"""

from typing import Any

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from openai import AsyncOpenAI
from pydantic import BaseModel


class ChatRequest(BaseModel):
    text: str


class ChatAnswer(BaseModel):
    text: str


class ConversationManager:
    def __init__(self) -> None:
        self.client = AsyncOpenAI()

    async def reply(self, request: ChatRequest) -> str:
        self.request = request
        notes = await self.client.responses.create(
            model="gpt-4o-mini", input=f"What is this about? {self.request.text}"
        )
        answer = await self.client.responses.create(
            model="gpt-4o-mini", input=f"{self.request.text} Notes: {notes.output_text}"
        )
        return answer.output_text


app = FastAPI()
manager = ConversationManager()  # of all requests: the mistake


@app.post("/chat")
async def chat(request: ChatRequest) -> ChatAnswer:
    return ChatAnswer(text=await manager.reply(request))


def build() -> Any:
    async def session(task: str) -> str:
        async with AsyncClient(transport=ASGITransport(app), base_url="http://app") as http:
            response = await http.post("/chat", json={"text": task})
        return str(response.raise_for_status().json()["text"])

    return session
