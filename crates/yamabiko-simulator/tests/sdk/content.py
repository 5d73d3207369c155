"""LINE's SDK for Python downloads what users send: pictures, videos, audio, files, and their previews."""

from world import SAKURA, SdkTest, control, happens, hears, main, tell

JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"
MP4 = b"\x00\x00\x00\x18ftypmp42 a film"


class Content(SdkTest):
    def sends(self, kind, content, **about):
        """Lets a user send bytes; returns the message's id."""
        query = "&".join(f"{name}={value}" for name, value in {"type": kind, **about}.items())
        path = f"/chats/{SAKURA}/media?{query}"
        status, answer = control("POST", path, content, content_type="application/octet-stream")
        self.assertEqual(status, 200, answer)
        hears()
        return answer["messageId"]

    def test_a_picture_is_downloaded_byte_for_byte(self):
        picture = self.sends("image", JPEG)
        answer = self.blob.get_message_content_with_http_info(picture)
        self.assertEqual((answer.status_code, bytes(answer.data)), (200, JPEG))
        self.assertEqual(answer.headers["content-type"], "image/jpeg")
        self.assertEqual(bytes(self.blob.get_message_content_preview(picture)), JPEG)

    def test_a_file_is_downloaded_byte_for_byte(self):
        file = self.sends("file", bytes(range(256)), fileName="all.bin", contentType="application/pdf")
        answer = self.blob.get_message_content_with_http_info(file)
        self.assertEqual(bytes(answer.data), bytes(range(256)))
        self.assertEqual(answer.headers["content-type"], "application/pdf")
        self.refused(404, self.blob.get_message_content_preview, file)

    def test_a_video_and_an_audio_are_prepared_first(self):
        tell("/settings", {"preparingMs": 60_000})
        for kind, content in (("video", MP4), ("audio", b"a song")):
            with self.subTest(kind):
                message = self.sends(kind, content, durationMs=3_000)
                status = self.blob.get_message_content_transcoding_by_message_id(message).status
                self.assertEqual(status, "processing")
                early = self.blob.get_message_content_with_http_info(message)
                self.assertEqual((early.status_code, early.data), (202, None))
                tell("/clock", {"advanceSeconds": 60})
                status = self.blob.get_message_content_transcoding_by_message_id(message).status
                self.assertEqual(status, "succeeded")
                self.assertEqual(bytes(self.blob.get_message_content(message)), content)

    def test_the_preview_of_a_video_is_a_picture(self):
        answer = self.blob.get_message_content_preview_with_http_info(self.sends("video", MP4))
        self.assertEqual(answer.headers["content-type"], "image/png")
        self.assertTrue(bytes(answer.data).startswith(b"\x89PNG"))

    def test_content_that_never_was_is_not_found(self):
        text = self.says(SAKURA, {"type": "text", "text": "180"})["message"]["id"]
        for message in ("561000000000999999", text):
            self.refused(404, self.blob.get_message_content, message)
            self.refused(404, self.blob.get_message_content_preview, message)
            self.refused(404, self.blob.get_message_content_transcoding_by_message_id, message)

    def test_content_that_was_taken_back_is_gone(self):
        picture = self.sends("image", JPEG)
        happens(SAKURA, {"type": "unsend", "messageId": picture})
        _, said = self.refused(410, self.blob.get_message_content, picture)
        self.assertEqual(said.message, "The content is gone")


main()
